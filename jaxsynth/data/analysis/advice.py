"""Recommended preprocessing, each with the measurement that asks for it."""
from collections.abc import Sequence
import math

import numpy as np

from jaxsynth.data.analysis.comparison import Comparison
from jaxsynth.data.analysis.findings import Advice
from jaxsynth.data.analysis.set_analysis import IMBALANCE, SetAnalysis


def advice(reference: SetAnalysis, others: Sequence[Comparison] = ()) -> list[Advice]:
  """What to do before training on the reference set, most urgent first."""
  out, scan, numbers = [], reference.scan, reference.numbers
  if len(reference.ranges.bad) or len(reference.ranges.strange):
    out.append(Advice('Mend or remove images with wrong values',
                      f'{len(reference.ranges.bad):,} with NaN or infinite pixels, '
                      f'{len(reference.ranges.strange):,} on another scale',
                      'the positions are in analysis.json'))
  leaks = sum(len(t.shared) + len(t.near_copies) for t in others)
  if leaks:
    out.append(Advice('Remove leaked images from the training set',
                      f'{leaks:,} images of other sets have a copy in it, so scores on those '
                      'sets are too good', 'the positions are in analysis.json'))
  copies = numbers['copies']['exact'] + numbers['copies'].get('near', 0)
  if copies:
    out.append(Advice('Keep one of each group of copies', f'{copies:,} copies: a generative '
                      'model memorises first what it sees most', 'the positions are in '
                      'analysis.json'))
  if len(scan.image_shape) == 3:
    out += _of_images(reference)
  classes = numbers.get('classes')
  if classes and classes['imbalance'] >= IMBALANCE:
    out.append(Advice('Balance the classes when training downstream',
                      f"the largest is {classes['imbalance']:.1f} times the smallest",
                      'weights n / (K n_k), or synthetic examples of the rare classes'))
  if numbers.get('labels', {}).get('share', 0) > 0.01:
    out.append(Advice('Look at the suspicious labels', f"{numbers['labels']['suspects']:,} are "
                      'contradicted by their neighbours', 'pictures below, positions in '
                      'analysis.json'))
  d = numbers.get('dimension', {}).get('levina_bickel')
  if d and np.isfinite(d):
    out.append(Advice(f'Give the generator at least {2 * math.ceil(d) + 1} latent dimensions',
                      f'the data vary in about {d:.0f} directions, and 2 d + 1 hold any smooth '
                      'd-dimensional set (Whitney)', f'--latent_dim={2 * math.ceil(d) + 1} or '
                      'more'))
  return out


def _of_images(reference: SetAnalysis) -> list[Advice]:
  """On scale, channels and size."""
  scan, numbers, out = reference.scan, reference.numbers, list[Advice]()
  scale = {'[0, 255]': 'x / 127.5 - 1', '[0, 1]': '2 x - 1', '[-1, 1]': 'nothing: it is'}.get(
      reference.ranges.scale, '2 (x - low) / (high - low) - 1')
  out.append(Advice('Bring pixels to [-1, 1], the range of tanh',
                    f'pixels are {scan.dtype} on {reference.ranges.scale}', scale + (
                        ', as jaxsynth.data.to_float does' if scan.dtype == 'uint8' else '')))
  h, w, c = scan.image_shape
  if c == 3 and _grey(scan.features):
    out.append(Advice('Use one channel', 'the three channels are equal', '--channels=1'))
  if h % 4 or w % 4:
    size = f'{4 * math.ceil(h / 4)},{4 * math.ceil(w / 4)}'
    out.append(Advice('Pad to a multiple of 4', f'{h} x {w}: two strides of 2 do not divide it',
                      f'--image_size={size} --fit=pad'))
  constant = numbers['constant_pixels']
  if constant > 0.05 * h * w * c:
    out.append(Advice('Expect no information in some pixels',
                      f'{constant:,} of {h * w * c:,} never change: per-pixel standardisation '
                      'would divide by 0', 'standardise by channel, if at all'))
  return out


def _grey(features: np.ndarray) -> bool:
  x = features.reshape(len(features), -1, 3)
  return bool((x == x[..., :1]).all())
