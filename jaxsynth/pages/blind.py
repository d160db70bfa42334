"""A page on which a person tells real images from synthetic ones."""
import base64
from collections.abc import Sequence
import json
import pathlib
from typing import Any

import numpy as np

from jaxsynth.data.examples import Examples
from jaxsynth.pages.sheets import pictures_of
from jaxsynth.report.pictures import png

HERE = pathlib.Path(__file__).parent


def page(real: Examples, synthetic: Examples, class_names: Sequence[str], n: int, seed: int
         ) -> str:
  """One HTML file with its script inside: `n` images, half of them real, in seeded order.

  The answers are in the page, as they must be to work without a network, but neither in
  its elements nor readable at a glance: XORed with a stream of bytes from the page's key.

  Args:
    real: real images.
    synthetic: images of the same shape.
    class_names: of the labels.
    n: images to judge, even, at least 2.
    seed: of which images, and in which order.

  Returns:
    The document.

  Raises:
    ValueError: an odd number, or more than there are.
  """
  half, fewest = n // 2, min(len(real.values), len(synthetic.values))
  if n % 2 or not 0 < half <= fewest:
    raise ValueError(f'--blind={n}: expected an even number, half of each kind, of at most '
                     f'{2 * fewest}')
  rng = np.random.Generator(np.random.Philox(seed))
  chosen = [x.take(rng.choice(len(x.values), half, replace=False)) for x in (real, synthetic)]
  labelled = all(x.labels is not None for x in chosen)
  answers: list[dict[str, Any]] = []
  images = []
  for place in rng.permutation(n):
    examples, i = chosen[int(place >= half)], place % half
    answers.append({'kind': 'real' if place < half else 'synthetic'})
    if labelled:
      answers[-1]['class'] = class_names[examples.labels[i]]  # type: ignore[index]
    images.append(base64.b64encode(png(pictures_of(examples.take(np.array([i])))[0])).decode())
  key = int(rng.integers(1, 2**31 - 1))
  secret = {'real': real.name, 'synthetic': synthetic.name, 'seed': seed, 'answers': answers}
  data = {'images': images, 'key': key, 'sealed': sealed(json.dumps(secret), key)}
  text = (HERE / 'blind.html').read_text(encoding='utf-8')
  return text.replace('"DATA"', json.dumps(data))  # base64 and numbers: nothing to escape


def sealed(text: str, key: int) -> str:
  """The text's UTF-8 bytes XORed with `key <- 48271 key mod (2^31 - 1)`, as base64."""
  out = bytearray()
  for byte in text.encode():
    key = key * 48271 % (2**31 - 1)
    out.append(byte ^ key & 255)
  return base64.b64encode(bytes(out)).decode()
