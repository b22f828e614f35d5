"""How fast the explanations are, as ratios to the bare framework and to other libraries."""
