"""Feature extractors: fixed maps from images to vectors, each with its name and hash."""
from jaxsynth.metrics.features.base import (
    DamagedWeights, digest, extract, Features, score_name)
from jaxsynth.metrics.features.inception import convert_inception, inception
from jaxsynth.metrics.features.mnist import mnist, mnist_logits
from jaxsynth.metrics.features.pixels import pixels
from jaxsynth.metrics.features.random_conv import random_conv
from jaxsynth.metrics.features.torch_file import UnsafeFile

__all__ = ('DamagedWeights', 'Features', 'UnsafeFile', 'convert_inception', 'digest', 'extract',
           'inception', 'mnist', 'mnist_logits', 'pixels', 'random_conv', 'score_name')
