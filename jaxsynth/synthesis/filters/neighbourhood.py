"""Where a candidate lies among real examples: realism, and density."""
from typing import Any

from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.pixels import scaled
from jaxsynth.metrics.features import extract, Features
from jaxsynth.metrics.neighbours import nearest_other
from jaxsynth.synthesis.filters.base import Candidates, Filter, ToModel


def realism(features: Features, real: Any, k: int = 3, to_model: ToModel = scaled) -> Filter:
  """`max_i r_i / |f(x) - f_i|`, above 1 inside the real manifold.

  `r_i` is the distance of real example i to its k-th nearest; the half of the examples
  with the larger radii, which are the outliers, is left out.

  Args:
    features: `f`.
    real: images `[N, H, W, C]`, say of the training set.
    k: neighbours, below N.
    to_model: of their kind.

  Returns:
    The filter, at threshold 1.

  Kynkaanniemi et al., Improved Precision and Recall Metric, 2019,
  https://arxiv.org/abs/1904.06991, eq. 3.
  """
  embedded = extract(features, real, to_model=to_model)
  radii = nearest_other(embedded, k)[0][:, -1]
  inner = radii <= np.median(radii)
  params = _balls(features, embedded[inner], radii[inner])

  def score(params: Any, x: Candidates) -> Array:
    squared = _squared(features, params, x, to_model)
    # a candidate that is a real example would be infinitely real
    ratio = params['squared_radii'][None] / jnp.maximum(squared, 1e-12)
    return jnp.sqrt(ratio.max(1))
  return Filter('realism', params, score, 1.)


def density(features: Features, real: Any, k: int = 5, to_model: ToModel = scaled) -> Filter:
  """Real balls that the candidate is inside of, over k.

  Outside of all balls it is `max_i r_i / |f(x) - f_i| - 1`, in (-1, 0]: how far outside, so
  that a threshold can be had even where many real examples are outside of all balls.

  Args:
    features: as `realism`'s.
    real: as `realism`'s; their balls reach to the k-th nearest.
    k: neighbours, below N.
    to_model: of their kind.

  Returns:
    The filter, at threshold 1 / k: in one ball at least.

  Naeem et al., Reliable Fidelity and Diversity Metrics, 2020,
  https://arxiv.org/abs/2002.09797, eq. 4, before the average.
  """
  embedded = extract(features, real, to_model=to_model)
  params = _balls(features, embedded, nearest_other(embedded, k)[0][:, -1])

  def score(params: Any, x: Candidates) -> Array:
    squared = _squared(features, params, x, to_model)
    inside = (squared < params['squared_radii'][None]).sum(1)
    ratio = params['squared_radii'][None] / jnp.maximum(squared, 1e-12)
    return jnp.where(inside > 0, inside / k, jnp.minimum(jnp.sqrt(ratio.max(1)) - 1, 0))
  return Filter('density', params, score, 1 / k)


def _balls(features: Features, centres: np.ndarray, radii: np.ndarray) -> dict[str, Any]:
  centre = centres.mean(0)
  return {'features': dict(features.params), 'centre': centre, 'real': centres - centre,
          'squared_radii': (radii ** 2).astype(np.float32)}


def _squared(features: Features, params: Any, x: Candidates, to_model: ToModel) -> Array:
  """Squared distances to the real examples: `[n, N]`."""
  embedded = features.apply(params['features'], to_model(x.images)) - params['centre'][None]
  cross = jnp.matmul(embedded, params['real'].T, precision=lax.Precision.HIGHEST)
  return (jnp.sum(embedded ** 2, 1)[:, None] + jnp.sum(params['real'] ** 2, 1)[None] -
          2 * cross)
