"""Augmentation of series, on device: pure functions of a key and one series `[T, C]`.

Um et al. 2017, Data augmentation of wearable sensor data, https://arxiv.org/abs/1706.00527.
"""
import jax
from jax import Array
import jax.numpy as jnp


def jitter(key: Array, series: Array, deviation: float = .03) -> Array:
  """Adds normal noise of this deviation to each number: `[T, C]`."""
  return series + deviation * jax.random.normal(key, series.shape)


def rescale(key: Array, series: Array, deviation: float = .1) -> Array:
  """Multiplies each channel by a normal number around 1: `[T, C]`."""
  return series * (1 + deviation * jax.random.normal(key, (1, series.shape[1])))


def shift(key: Array, series: Array, most: int) -> Array:
  """Moves the series by at most so many steps; what is moved in repeats the end: `[T, C]`."""
  by = jax.random.randint(key, (), -most, most + 1)
  padded = jnp.pad(series, ((most, most), (0, 0)), 'edge')
  return jax.lax.dynamic_slice_in_dim(padded, most + by, series.shape[0])


def time_warp(key: Array, series: Array, deviation: float = .2, pieces: int = 4) -> Array:
  """Lets time run faster here and slower there; it begins and ends as it did.

  The logarithm of its speed is normal in each of the equal pieces, and the speeds are scaled so
  that they fill the whole time. So what comes how often stays, and when it comes does not.

  Args:
    key: of the speeds.
    series: `[T, C]`, T at least 2.
    deviation: of the logarithms.
    pieces: of the time.

  Returns:
    `[T, C]`, values between neighbours linearly interpolated.

  >>> line = jnp.linspace(0, 1, 9)[:, None]
  >>> warped = time_warp(jax.random.key(0), line)
  >>> bool(abs(warped[0, 0]) < 1e-6), bool(abs(warped[-1, 0] - 1) < 1e-6)
  (True, True)
  """
  steps = series.shape[0]
  speed = jnp.exp(deviation * jax.random.normal(key, (pieces,)))
  passed = jnp.concatenate([jnp.zeros(1), jnp.cumsum(speed)]) / jnp.sum(speed) * (steps - 1)
  at = jnp.arange(steps, dtype=jnp.float32)
  source = jnp.interp(at, jnp.linspace(0, steps - 1, pieces + 1), passed)
  return jax.vmap(lambda channel: jnp.interp(source, at, channel), 1, 1)(series)
