"""Is an explanation true? Metrics in six families, each beside a random and a model-blind row."""
