"""The record as HTML, JSON, JUnit XML and a model card."""
