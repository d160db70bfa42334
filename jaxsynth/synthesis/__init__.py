"""From a trained model to data."""
from jaxsynth.synthesis.draw import drawer, labels_for

__all__ = ('drawer', 'labels_for')
