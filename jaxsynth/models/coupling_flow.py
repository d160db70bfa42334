"""A normalising flow of latents: the learned prior of a variational autoencoder."""
from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.labels import beside

LARGEST = 2.  # of the logarithm of a scale: no layer scales by more than its exponential


class CouplingFlow(nn.Module):
  """Latents to noise and back, given the label: affine couplings.

  Each layer keeps one half of its input, `a`, and moves the other by what two dense layers
  with relu make of it and of the label, `b -> (b - shift(a)) exp(-scale(a))`; then the halves
  change places. The last dense layers start at zero, so that the flow starts as the identity
  and the prior as the standard normal.

  Attributes:
    layers: couplings; at least two move every latent.
    hidden: size of the dense layers.
    num_classes: number of labels; `None` for an unconditional flow.

  Dinh et al. 2017, https://arxiv.org/abs/1605.08803, section 3.
  """
  layers: int = 6
  hidden: int = 128
  num_classes: int | None = None

  @nn.compact
  def __call__(self, x: Array, label: Array | None = None, *, train: bool, inverse: bool = False
               ) -> tuple[Array, Array]:
    """`(noise, log |d noise / d latent|)` of latents; if `inverse`, `(latent, ...)` of noise.

    Args:
      x: `[B, D]`, `D` at least 2.
      label: `[B]`, if conditional.
      train: is of no use here.
      inverse: whether `x` is noise.

    Returns:
      `[B, D]` and `[B]`; the second is that of the direction that was asked for.
    """
    log_determinant = jnp.zeros(len(x))
    half, nets = x.shape[-1] // 2, []
    for k in range(self.layers):  # the halves change places: their sizes may differ
      moved = x.shape[-1] - (half if k % 2 == 0 else x.shape[-1] - half)
      nets.append(_Shift(moved, self.hidden, self.num_classes, name=f'coupling_{k}'))
    for k in reversed(range(self.layers)) if inverse else range(self.layers):
      a, b = x[:, :half], x[:, half:]
      if k % 2:
        a, b = b, a
      shift, scale = nets[k](a, label)
      b = b * jnp.exp(scale) + shift if inverse else (b - shift) * jnp.exp(-scale)
      log_determinant += jnp.sum(scale if inverse else -scale, -1)
      x = jnp.concatenate([b, a] if k % 2 else [a, b], -1)
    return x, log_determinant


class _Shift(nn.Module):
  """How far, and by how much, a half moves: `[B, d] -> 2 x [B, moved]`."""
  moved: int
  hidden: int
  num_classes: int | None

  @nn.compact
  def __call__(self, x: Array, label: Array | None) -> tuple[Array, Array]:
    x = beside(x, label, self.num_classes)
    for _ in range(2):
      x = nn.relu(nn.Dense(self.hidden)(x))
    x = nn.Dense(2 * self.moved, kernel_init=nn.initializers.zeros)(x)
    shift, scale = jnp.split(x, 2, -1)
    return shift, LARGEST * jnp.tanh(scale / LARGEST)
