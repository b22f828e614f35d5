"""The methods, one file a family: each a function with its facts above it."""
