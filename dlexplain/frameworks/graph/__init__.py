"""The operation graph of one run, and what is handed back along it: contributions, gradients of other rules, relevance."""
