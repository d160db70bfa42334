"""A classifier's confidence, and its agreement with the label asked for."""
from collections.abc import Callable
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.pixels import scaled
from jaxsynth.synthesis.filters.base import Candidates, Filter, ToModel

AGREES = 1e-30  # less than any probability that is the largest


def classifier(logits: Callable[[Any, Array], Array], params: Any, to_model: ToModel = scaled
               ) -> Filter:
  """The probability of the candidate's label, and 0 if it is not the most probable.

  Of candidates without labels, the largest probability.

  Args:
    logits: `(params, images [n, H, W, C] in [-1, 1]) -> [n, K]`.
    params: its first argument.
    to_model: of the candidates' kind.

  Returns:
    The filter, at the threshold where the label must agree, however unsure.

  >>> as_it_is = classifier(lambda _, images: images.reshape(-1, 2), ())
  >>> images = jnp.array([[255, 0], [0, 255]], jnp.uint8).reshape(2, 1, 1, 2)
  >>> [round(float(p), 3) for p in as_it_is.score(
  ...     (), Candidates(images, jnp.array([0, 0]), None))]
  [0.881, 0.0]
  """
  def score(params: Any, x: Candidates) -> Array:
    p = jax.nn.softmax(logits(params, to_model(x.images)))
    if x.labels is None:
      return p.max(1)
    of_label = jnp.take_along_axis(p, x.labels[:, None], 1)[:, 0]
    return jnp.where(jnp.argmax(p, 1) == x.labels, of_label, 0)
  return Filter('classifier', params, score, AGREES)
