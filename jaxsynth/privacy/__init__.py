"""Differential privacy: what is promised, what it costs, and training that keeps to it."""
from jaxsynth.privacy.guarantee import Guarantee

__all__ = ('Guarantee',)
