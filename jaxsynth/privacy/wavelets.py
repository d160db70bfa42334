"""Sizes of wavelets' answers, averaged over places: what strokes are there, and about where."""
from collections.abc import Sequence
import math

from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth import ops
from jaxsynth.privacy.embeddings import View

WAVELENGTHS = (4., 8.)  # pixels
SIDE = 11  # of a filter
STEP = 2  # pixels from one place where they answer to the next
POOLED = 2  # such places, along each axis, that are averaged
FLOOR = 1e-4  # of squares, where a root's slope has no end


def morlet(wavelengths: Sequence[float] = WAVELENGTHS, orientations: int = 6, side: int = SIDE
           ) -> np.ndarray:
  """Complex Morlet wavelets in the plane, `[side, side, wavelengths * orientations]`.

      psi(u) = g(u) (exp(2 pi i u.e / l) - c),   g(u) = exp(-|u|^2 / 2 (.35 l)^2)

  for the wavelength `l` and the direction `e`, with the `c` for which their sum is 0, and sums of
  sizes 1: what is flat has no answer.

  >>> bank = morlet()
  >>> bank.shape, bool(np.abs(bank.sum((0, 1))).max() < 1e-12)
  ((11, 11, 12), True)
  """
  rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
  bank = []
  for wavelength in wavelengths:
    envelope = np.exp(-(rows ** 2 + columns ** 2) / (2 * (.35 * wavelength) ** 2))
    for k in range(orientations):
      angle = math.pi * k / orientations
      wave = np.exp(2j * math.pi / wavelength * (
          columns * math.cos(angle) + rows * math.sin(angle)))
      wavelet = envelope * (wave - (envelope * wave).sum() / envelope.sum())
      bank.append(wavelet / np.abs(wavelet).sum())
  return np.stack(bank, -1)


def wavelets(shape: Sequence[int], orientations: int = 6) -> View:
  """Sizes `|x * psi|` of an image's answers and its grey values, averaged over 4 x 4 pixels.

  A stroke that moves by a pixel hardly changes them, one of another direction does, which pixels
  tell the other way round. The vector of an example is divided by its norm. It is the first layer
  of a scattering transform (Bruna & Mallat 2013, https://arxiv.org/abs/1203.1513), kept as a grid;
  nothing of it is learned.

  Args:
    shape: `(H, W, C)`; channels answer each by itself.
    orientations: directions of the wavelets.

  >>> view = wavelets((28, 28, 1))
  >>> view.parts, view.length, view.apply(jnp.zeros((2, 28, 28, 1))).shape
  (1, 637, (2, 1, 637))
  """
  height, width, channels = shape
  cell = STEP * POOLED
  rows, columns = -(-height // cell), -(-width // cell)
  bank = morlet(orientations=orientations)
  kernel = np.concatenate([bank.real, bank.imag], -1)[:, :, None].astype(np.float32)
  waves = bank.shape[-1]
  length = rows * columns * channels * (waves + 1)

  def averaged(x: Array, side: int) -> Array:
    n, h, w, c = x.shape
    return x.reshape(n, h // side, side, w // side, side, c).mean((2, 4))

  def apply(x: Array) -> Array:
    n = len(x)
    bright = jnp.pad((x + 1) / 2, ((0, 0), (0, rows * cell - height), (0, columns * cell - width),
                                   (0, 0)))
    alone = jnp.moveaxis(bright, 3, 1).reshape(n * channels, rows * cell, columns * cell, 1)
    answers = ops.conv(alone, jnp.asarray(kernel), STEP)
    sizes = jnp.sqrt(answers[..., :waves] ** 2 + answers[..., waves:] ** 2 + FLOOR)
    grid = jnp.concatenate([averaged(sizes, POOLED), averaged(alone, cell) / waves], -1)
    flat = grid.reshape(n, 1, length)
    return flat / jnp.sqrt(jnp.sum(flat ** 2, -1, keepdims=True) + FLOOR)

  return View(1, length, apply, f'{waves} wavelets in {rows} x {columns} places')
