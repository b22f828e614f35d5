"""Which inputs decided: methods, their registry, and the result that says how far it can be trusted."""

from dlexplain.attribution.comparison import Comparison
from dlexplain.attribution.explain import compare, explain
from dlexplain.attribution.registry import methods
from dlexplain.attribution.result import Attribution

__all__ = ["Attribution", "Comparison", "compare", "explain", "methods"]
