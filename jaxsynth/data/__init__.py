"""Sources of examples, and batches of them as a function of (seed, k)."""
from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.batches import Source, batch_at
from jaxsynth.data.credit import Credit, MNIST5K, tfds_credit
from jaxsynth.data.folder import folder
from jaxsynth.data.memory import DecodedSource, in_memory
from jaxsynth.data.mnist5k import mnist5k
from jaxsynth.data.npz import npz
from jaxsynth.data.pixels import to_float, to_uint8
from jaxsynth.data.prefetch import prefetch
from jaxsynth.data.preprocess import Preprocess, preprocess_image, preprocessed
from jaxsynth.data.tfds_source import is_prepared, tfds_names, tfds_source

__all__ = ('ArraySource', 'Credit', 'DecodedSource', 'MNIST5K', 'Preprocess', 'Source', 'batch_at',
           'folder', 'in_memory', 'is_prepared', 'mnist5k', 'npz', 'prefetch', 'preprocess_image',
           'preprocessed', 'tfds_credit', 'tfds_names', 'tfds_source', 'to_float', 'to_uint8')
