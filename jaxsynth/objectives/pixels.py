"""From what a decoder says of pixels to images."""
import jax
from jax import Array

from jaxsynth.losses.likelihoods import Likelihood

PIXELS = 0x504958  # parts a sample's pixels from its latent


def images(likelihood: Likelihood, output: Array, keys: Array, drawn: bool) -> Array:
  """Images `[n, H, W, C]` in [-1, 1]: expected ones, or drawn with a sample's key `[n]` each.

  Args:
    likelihood: of the pixels.
    output: `[n, H, W, outputs * C]`, the decoder's.
    keys: of the samples.
    drawn: whether pixels are drawn; otherwise they are the mean.
  """
  if not drawn:
    return likelihood.mean(output)
  of_pixels = jax.vmap(jax.random.fold_in, (0, None))(keys, PIXELS)
  return jax.vmap(lambda key, x: likelihood.sample(key, x[None])[0])(of_pixels, output)
