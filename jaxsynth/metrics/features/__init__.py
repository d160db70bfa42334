"""Feature extractors: fixed maps from images to vectors, each with its name and hash."""
from jaxsynth.metrics.features.base import (
    DamagedWeights, digest, extract, Features, score_name)
from jaxsynth.metrics.features.inception_v3 import convert_inception, inception
from jaxsynth.metrics.features.mnist_network import mnist, mnist_logits
from jaxsynth.metrics.features.named import by_name, extract_all
from jaxsynth.metrics.features.raw_pixels import pixels
from jaxsynth.metrics.features.random_network import random_conv
from jaxsynth.metrics.features.row_features import of_rows, one_hot, random_rows
from jaxsynth.metrics.features.series_features import of_series, random_series
from jaxsynth.metrics.features.torch_file import UnsafeFile

__all__ = ('DamagedWeights', 'Features', 'UnsafeFile', 'by_name', 'convert_inception', 'digest',
           'extract', 'extract_all', 'inception', 'mnist', 'mnist_logits', 'of_rows', 'of_series',
           'one_hot', 'pixels', 'random_conv', 'random_rows', 'random_series', 'score_name')
