"""May this model and its explanations be relied on? The record, its checks, and the exam of the audit itself."""
