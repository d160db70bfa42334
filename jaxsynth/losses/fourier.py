"""How far two series are apart, frequency by frequency."""
from jax import Array
import jax.numpy as jnp


def fourier(expected: Array, data: Array) -> Array:
  """The mean absolute difference of the Fourier coefficients over time: `[B]`, unreduced.

  With F the orthonormal transform over the first axis of an example,

      mean |Re F(expected - data)| + |Im F(expected - data)|.

  Squares instead of absolute values would say nothing new: by Parseval's theorem their sum is that
  of the squared error itself. Absolute values weigh small errors more, and so the frequencies that
  have little of the variance. Their minimum is a median and not the mean that a flow asks for; a
  small weight beside the squared error moves it little.

  Args:
    expected: `[B, T, ...]`.
    data: `[B, T, ...]`.

  Yuan & Qiao 2024, Diffusion-TS, https://arxiv.org/abs/2403.01742, equation 10, which has squares;
  its code has absolute values.

  >>> x = jnp.array([[[1.], [-1.], [1.], [-1.]]])  # one wave, of the highest frequency: F = 2
  >>> round(float(fourier(x, jnp.zeros_like(x))[0]), 4)  # of 3 frequencies
  0.6667
  """
  apart = jnp.fft.rfft(expected - data, axis=1, norm='ortho')
  size = jnp.abs(apart.real) + jnp.abs(apart.imag)
  return jnp.mean(size.reshape(len(size), -1), -1)
