"""Networks and losses bound into objectives."""
from jaxsynth.objectives.classify import classify
from jaxsynth.objectives.gan import gan, packed

__all__ = ('classify', 'gan', 'packed')
