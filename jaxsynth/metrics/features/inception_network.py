"""Inception-v3 as the Frechet Inception distance has it, from weights the user brings.

The network of TensorFlow's graph of 2015-12-05 as pytorch-fid ported it
(https://github.com/mseitzer/pytorch-fid), to its 2048 averages before the last layer.
Szegedy et al. 2016, https://arxiv.org/abs/1512.00567; Heusel et al. 2017,
https://arxiv.org/abs/1706.08500.
"""
from collections.abc import Callable, Mapping

import jax
from jax import Array, lax
import jax.numpy as jnp

Conv = Callable[..., Array]


def network(conv: Conv, x: Array) -> Array:
  """`[B, 299, 299, 3]` in [-1, 1] to `[B, 2048]`.

  Args:
    conv: `(name, x, features, kernel, stride=1, padding='SAME')`, with batch norm and relu.
    x: images.
  """
  x = conv('Conv2d_1a_3x3', x, 32, (3, 3), 2, 'VALID')
  x = conv('Conv2d_2a_3x3', x, 32, (3, 3), 1, 'VALID')
  x = conv('Conv2d_2b_3x3', x, 64, (3, 3))
  x = _largest(x, 2, 'VALID')
  x = conv('Conv2d_3b_1x1', x, 80, (1, 1))
  x = conv('Conv2d_4a_3x3', x, 192, (3, 3), 1, 'VALID')
  x = _largest(x, 2, 'VALID')
  for name, pooled in (('5b', 32), ('5c', 64), ('5d', 64)):
    x = _block_a(conv, f'Mixed_{name}', x, pooled)
  x = _block_b(conv, 'Mixed_6a', x)
  for name, width in (('6b', 128), ('6c', 160), ('6d', 160), ('6e', 192)):
    x = _block_c(conv, f'Mixed_{name}', x, width)
  x = _block_d(conv, 'Mixed_7a', x)
  x = _block_e(conv, 'Mixed_7b', x, _average)
  # that graph takes the largest here, where the paper and its other blocks average
  x = _block_e(conv, 'Mixed_7c', x, lambda x: _largest(x, 1, 'SAME'))
  return jnp.mean(x, (1, 2))


def _block_a(conv: Conv, name: str, x: Array, pooled: int) -> Array:
  branch1 = conv(f'{name}.branch1x1', x, 64, (1, 1))
  branch5 = conv(f'{name}.branch5x5_1', x, 48, (1, 1))
  branch5 = conv(f'{name}.branch5x5_2', branch5, 64, (5, 5))
  double3 = conv(f'{name}.branch3x3dbl_1', x, 64, (1, 1))
  double3 = conv(f'{name}.branch3x3dbl_2', double3, 96, (3, 3))
  double3 = conv(f'{name}.branch3x3dbl_3', double3, 96, (3, 3))
  pool = conv(f'{name}.branch_pool', _average(x), pooled, (1, 1))
  return jnp.concatenate([branch1, branch5, double3, pool], -1)


def _block_b(conv: Conv, name: str, x: Array) -> Array:
  branch3 = conv(f'{name}.branch3x3', x, 384, (3, 3), 2, 'VALID')
  double3 = conv(f'{name}.branch3x3dbl_1', x, 64, (1, 1))
  double3 = conv(f'{name}.branch3x3dbl_2', double3, 96, (3, 3))
  double3 = conv(f'{name}.branch3x3dbl_3', double3, 96, (3, 3), 2, 'VALID')
  return jnp.concatenate([branch3, double3, _largest(x, 2, 'VALID')], -1)


def _block_c(conv: Conv, name: str, x: Array, width: int) -> Array:
  branch1 = conv(f'{name}.branch1x1', x, 192, (1, 1))
  branch7 = conv(f'{name}.branch7x7_1', x, width, (1, 1))
  branch7 = conv(f'{name}.branch7x7_2', branch7, width, (1, 7))
  branch7 = conv(f'{name}.branch7x7_3', branch7, 192, (7, 1))
  double7 = conv(f'{name}.branch7x7dbl_1', x, width, (1, 1))
  double7 = conv(f'{name}.branch7x7dbl_2', double7, width, (7, 1))
  double7 = conv(f'{name}.branch7x7dbl_3', double7, width, (1, 7))
  double7 = conv(f'{name}.branch7x7dbl_4', double7, width, (7, 1))
  double7 = conv(f'{name}.branch7x7dbl_5', double7, 192, (1, 7))
  pool = conv(f'{name}.branch_pool', _average(x), 192, (1, 1))
  return jnp.concatenate([branch1, branch7, double7, pool], -1)


def _block_d(conv: Conv, name: str, x: Array) -> Array:
  branch3 = conv(f'{name}.branch3x3_1', x, 192, (1, 1))
  branch3 = conv(f'{name}.branch3x3_2', branch3, 320, (3, 3), 2, 'VALID')
  branch7 = conv(f'{name}.branch7x7x3_1', x, 192, (1, 1))
  branch7 = conv(f'{name}.branch7x7x3_2', branch7, 192, (1, 7))
  branch7 = conv(f'{name}.branch7x7x3_3', branch7, 192, (7, 1))
  branch7 = conv(f'{name}.branch7x7x3_4', branch7, 192, (3, 3), 2, 'VALID')
  return jnp.concatenate([branch3, branch7, _largest(x, 2, 'VALID')], -1)


def _block_e(conv: Conv, name: str, x: Array, pool: Callable[[Array], Array]) -> Array:
  branch1 = conv(f'{name}.branch1x1', x, 320, (1, 1))
  branch3 = conv(f'{name}.branch3x3_1', x, 384, (1, 1))
  branch3a = conv(f'{name}.branch3x3_2a', branch3, 384, (1, 3))
  branch3b = conv(f'{name}.branch3x3_2b', branch3, 384, (3, 1))
  double3 = conv(f'{name}.branch3x3dbl_1', x, 448, (1, 1))
  double3 = conv(f'{name}.branch3x3dbl_2', double3, 384, (3, 3))
  double3a = conv(f'{name}.branch3x3dbl_3a', double3, 384, (1, 3))
  double3b = conv(f'{name}.branch3x3dbl_3b', double3, 384, (3, 1))
  pooled = conv(f'{name}.branch_pool', pool(x), 192, (1, 1))
  return jnp.concatenate([branch1, branch3a, branch3b, double3a, double3b, pooled], -1)


def _largest(x: Array, stride: int, padding: str) -> Array:
  return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, stride, stride, 1), padding)


def _average(x: Array) -> Array:
  """Of 3x3 windows, over what lies inside the image alone, as TensorFlow does."""
  total = lambda x: lax.reduce_window(x, 0., lax.add, (1, 3, 3, 1), (1, 1, 1, 1), 'SAME')
  return total(x) / total(jnp.ones((1, *x.shape[1:3], 1)))


def apply(params: Mapping[str, Array], images: Array) -> Array:
  """`[B, H, W, 1 or 3]` in [-1, 1] to `[B, 2048]`, resized to 299 x 299 as pytorch-fid does."""
  b, _, _, c = images.shape
  if c not in (1, 3):
    raise ValueError(f'images of {c} channels: Inception takes 3, or 1, which it sees thrice')
  images = jnp.broadcast_to(images, (*images.shape[:3], 3))
  x = jax.image.resize(images, (b, 299, 299, 3), 'bilinear', antialias=False)

  def conv(name: str, x: Array, features: int, kernel: tuple[int, int], stride: int = 1,
           padding: str = 'SAME') -> Array:
    y = lax.conv_general_dilated(
        x, params[f'{name}.kernel'], (stride, stride), padding,
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'), precision=lax.Precision.HIGHEST)
    return jax.nn.relu(y + params[f'{name}.bias'].reshape(1, 1, 1, -1))
  return network(conv, x)


def shapes() -> dict[str, tuple[int, int, int, int]]:
  """Of every convolution's kernel: `{name: (kh, kw, in, out)}`."""
  kernels: dict[str, tuple[int, int, int, int]] = {}

  def conv(name: str, x: Array, features: int, kernel: tuple[int, int], stride: int = 1,
           padding: str = 'SAME') -> Array:
    kernels[name] = (*kernel, x.shape[-1], features)
    rows = [-(-(n if padding == 'SAME' else n - k + 1) // stride)
            for n, k in zip(x.shape[1:3], kernel)]
    return jnp.zeros((x.shape[0], *rows, features))
  jax.eval_shape(lambda x: network(conv, x), jnp.zeros((1, 299, 299, 3)))
  return kernels
