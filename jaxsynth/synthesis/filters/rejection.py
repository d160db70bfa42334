"""Discriminator rejection sampling."""
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.pixels import scaled
from jaxsynth.synthesis.filters.base import Candidates, Filter, threshold, ToModel

EPSILON = 1e-8


class Calibration(NamedTuple):
  """From logits to log density ratios: `log p_data / p_model = scale * logit + offset`.

  Attributes:
    scale: above 0.
    offset: any.
    largest: the largest log ratio among fakes, the bound of the rejection.
    log_loss: of the calibrated probabilities, on what they were fitted to; `log 2 = 0.693`
      if the discriminator cannot tell.
  """
  scale: float
  offset: float
  largest: float
  log_loss: float


def calibrate(real: Any, fake: Any) -> Calibration:
  """Platt's logistic regression of real against fake on the discriminator's logit.

  Both sets weigh the same, so that the regression's logit is the log density ratio.

  Args:
    real: logits `[N]` of real examples that the discriminator has not seen.
    fake: logits `[M]` of samples.

  Raises:
    ValueError: logits that are not finite, or that do not rise from fake to real: such a
      discriminator has nothing to say.

  Platt, Probabilistic Outputs for Support Vector Machines, 1999, with its smoothed
  targets; Azadi et al. 2018, section 3.2, on calibrating; Turner et al. 2019,
  https://arxiv.org/abs/1811.11357, section 3.

  >>> rng = np.random.default_rng(0)
  >>> found = calibrate(rng.normal(1, 1, 10 ** 4), rng.normal(-1, 1, 10 ** 4))
  >>> bool(abs(found.scale - 2) < .1 and abs(found.offset) < .1)
  True
  """
  real, fake = (np.asarray(x, np.float64).ravel() for x in (real, fake))
  x = np.concatenate([real, fake])
  if not len(real) or not len(fake) or not np.isfinite(x).all():
    raise ValueError(f"discriminator: {len(real)} real and {len(fake)} fake logits, "
                     f'{(~np.isfinite(x)).sum()} not finite; expected some of both, finite')
  centre, spread = x.mean(), max(x.std(), 1e-12)
  design = np.stack([(x - centre) / spread, np.ones_like(x)], 1)
  target = np.repeat([(len(real) + 1) / (len(real) + 2), 1 / (len(fake) + 2)],
                     [len(real), len(fake)])
  weight = np.repeat([.5 / len(real), .5 / len(fake)], [len(real), len(fake)])
  at = np.zeros(2)
  for _ in range(50):  # Newton's method on a convex function
    p = 1 / (1 + np.exp(-design @ at))
    gradient = design.T @ (weight * (p - target))
    hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-12 * np.eye(2)
    step = np.linalg.solve(hessian, gradient)
    at = at - step * min(1., 5 / max(np.abs(step).max(), 1e-12))
    if np.abs(step).max() < 1e-10:
      break
  scale = at[0] / spread
  if scale <= 0:
    raise ValueError(f'discriminator: its logits are on average {real.mean():.3g} for held-out '
                     f'real examples and {fake.mean():.3g} for samples: it says nothing about '
                     'which is which; drop this filter, or take another checkpoint')
  offset = at[1] - scale * centre
  logits = design @ at
  loss = weight @ (np.logaddexp(0, logits) - np.repeat([1., 0.], [len(real), len(fake)]) * logits)
  return Calibration(float(scale), float(offset), float((scale * fake + offset).max()),
                     float(loss))


def discriminator(logits: Callable[[Any, Array, Any], Array], params: Any,
                  calibration: Calibration, to_model: ToModel = scaled) -> Filter:
  """Accepts x with probability `sigmoid(F(x) - gamma)`; gamma is the threshold.

  With `d = log p_data / p_model (x)`, at most `M`, its largest among samples,

      F = d - M - log(1 - exp(d - M - eps)),

  so that gamma = 0 is rejection sampling, which accepts with probability `exp(d - M)` and
  yields `p_data` where the calibration is right. A lower gamma keeps more. The bound is
  fixed, not raised as samples come, so that a candidate's fate is its own.

  Args:
    logits: `(params, images [n, H, W, C] in [-1, 1], labels or None) -> [n]`.
    params: its first argument.
    calibration: of these logits.
    to_model: of the candidates' kind.

  Returns:
    The filter, at gamma 0. Its score is `F(x) - logit(u)`, u the candidate's uniform
    number: it reaches gamma with that probability.

  Azadi et al., Discriminator Rejection Sampling, 2018,
  https://arxiv.org/abs/1810.06758, eq. 6 and 7.
  """
  scale, offset, largest, _ = calibration

  def score(params: Any, x: Candidates) -> Array:
    d = scale * logits(params, to_model(x.images), x.labels).reshape(-1) + offset
    return lift(d - largest) - jnp.log(x.uniforms) + jnp.log1p(-x.uniforms)
  return Filter('discriminator', params, score, 0.)


def lift(d: Array) -> Array:
  """`F` of `d - M`."""
  d = jnp.minimum(d, 0)
  return d - jnp.log(-jnp.expm1(d - EPSILON))


def gamma(logits: Any, calibration: Calibration, percentile: float) -> float:
  """The percentile of `F` over samples: the paper's way to choose gamma.

  Args:
    logits: `[N]`, of samples.
    calibration: of these logits.
    percentile: in [0, 100]; the share of samples with less than even odds.
  """
  if not 0 <= percentile <= 100:
    raise ValueError(f'gamma: percentile {percentile}, expected one in [0, 100]')
  d = calibration.scale * np.asarray(logits, np.float64) + calibration.offset
  return threshold(jax.device_get(lift(jnp.asarray(d - calibration.largest, jnp.float32))),
                   max(1 - percentile / 100, 1e-9))
