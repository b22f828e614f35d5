"""Architectures of both frameworks, and what every method makes of each: `make zoo` prints the matrix."""
