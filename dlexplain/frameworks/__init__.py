"""What a network can be asked. The only folder that imports TensorFlow, Keras or Torch."""

from dlexplain.frameworks.model import Model
from dlexplain.frameworks.wrap import wrap

__all__ = ["Model", "wrap"]
