"""Sources of examples, and batches of them as a function of (seed, k)."""
from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.batches import Source, batch_at
from jaxsynth.data.mnist5k import mnist5k
from jaxsynth.data.pixels import to_float, to_uint8
from jaxsynth.data.prefetch import prefetch

__all__ = ('ArraySource', 'Source', 'batch_at', 'mnist5k', 'prefetch', 'to_float', 'to_uint8')
