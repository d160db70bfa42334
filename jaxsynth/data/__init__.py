"""Sources of examples, and batches of them as a function of (seed, k)."""
from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.batches import Source, batch_at
from jaxsynth.data.credit import Credit, MNIST5K, tfds_credit
from jaxsynth.data.download import download_dataset
from jaxsynth.data.image_folder import folder
from jaxsynth.data.memory import DecodedSource, in_memory
from jaxsynth.data.embedded_digits import mnist5k
from jaxsynth.data.npz_file import npz
from jaxsynth.pixels import to_float, to_uint8
from jaxsynth.data.prefetching import prefetch
from jaxsynth.data.preprocess import Preprocess, preprocess_image, preprocessed
from jaxsynth.data.opening import open_dataset
from jaxsynth.data.spec import DatasetSpec
from jaxsynth.data.prepared import is_prepared, tfds_names, tfds_source

__all__ = ('ArraySource', 'Credit', 'DatasetSpec', 'DecodedSource', 'MNIST5K', 'Preprocess',
           'Source', 'batch_at', 'download_dataset', 'folder', 'in_memory', 'is_prepared',
           'mnist5k', 'npz', 'open_dataset', 'prefetch', 'preprocess_image', 'preprocessed',
           'tfds_credit', 'tfds_names', 'tfds_source', 'to_float', 'to_uint8')
