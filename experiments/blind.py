"""A page on which a person tells real images from synthetic ones."""
import base64
import json
import pathlib
from typing import Any

import numpy as np

from evaluate_sets import Set
from jaxsynth.report.pictures import png

HERE = pathlib.Path(__file__).parent


def page(real: Set, fake: Set, classes: list[str], n: int, seed: int) -> str:
  """One HTML file with its script inside: `n` images, half of them real, in seeded order.

  The answers are in the page, as they must be to work without a network, but neither in
  its elements nor readable at a glance: XORed with a stream of bytes from the page's key.

  Args:
    real: real images.
    fake: synthetic ones, of the same shape.
    classes: names of the labels.
    n: images to judge, even, at least 2.
    seed: of which images, and in which order.

  Returns:
    The document.

  Raises:
    ValueError: an odd number, or more than there are.
  """
  half = n // 2
  if n % 2 or not 0 < half <= min(len(real.images), len(fake.images)):
    raise ValueError(f'--blind={n}: expected an even number, half of each kind, of at most '
                     f'{2 * min(len(real.images), len(fake.images))}')
  rng = np.random.Generator(np.random.Philox(seed))
  parts = [one.take(rng.choice(len(one.images), half, replace=False)) for one in (real, fake)]
  labelled = all(one.labels is not None for one in parts)
  answers: list[dict[str, Any]] = []
  images = []
  for place in rng.permutation(n):
    one, i = parts[int(place >= half)], place % half
    answers.append({'kind': 'real' if place < half else 'synthetic'})
    if labelled:
      answers[-1]['class'] = classes[one.labels[i]]  # type: ignore[index]
    images.append(base64.b64encode(png(one.images[i])).decode())
  key = int(rng.integers(1, 2**31 - 1))
  told = {'real': real.name, 'synthetic': fake.name, 'seed': seed, 'answers': answers}
  data = {'images': images, 'key': key, 'sealed': sealed(json.dumps(told), key)}
  text = (HERE / 'blind.html').read_text(encoding='utf-8')
  return text.replace('"DATA"', json.dumps(data))  # base64 and numbers: nothing to escape


def sealed(text: str, key: int) -> str:
  """The text's UTF-8 bytes XORed with `key <- 48271 key mod (2^31 - 1)`, as base64."""
  out = bytearray()
  for byte in text.encode():
    key = key * 48271 % (2**31 - 1)
    out.append(byte ^ key & 255)
  return base64.b64encode(bytes(out)).decode()
