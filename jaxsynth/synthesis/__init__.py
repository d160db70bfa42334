"""From a trained model to data."""
from jaxsynth.synthesis.draw import drawer, streamer
from jaxsynth.synthesis.labels import labels_for

__all__ = ('drawer', 'labels_for', 'streamer')
