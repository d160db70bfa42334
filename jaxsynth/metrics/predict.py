"""A network over a whole data set: in blocks of one size, compiled once."""
from collections.abc import Callable, Sequence
import functools
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth import pixels
from jaxsynth.objectives import network as networks
from jaxsynth.types import Tree

ANY = (None, None, None)


class Predictions(NamedTuple):
  """What a classifier says of `N` images, as host arrays.

  Attributes:
    logits: float32 `[N, K]`.
    probabilities: float32 `[N, K]`.
    labels: int32 `[N]`, the most probable.
    features: float32 `[N, D]`, what its last layer sees; `None` if not asked for.
  """
  logits: np.ndarray
  probabilities: np.ndarray
  labels: np.ndarray
  features: np.ndarray | None


def predict(classifier: Any, params: Tree, variables: Tree, images: Any,
            batch_size: int = 256, *, features: bool = False,
            to_model: Callable[[Any], Array] | None = None,
            devices: Sequence[jax.Device] | None = None) -> Predictions:
  """Runs a trained classifier over a data set, in evaluation.

  Args:
    classifier: the network that `objectives.classify` was given. One that cannot be
      hashed, as Linen's with lists for tuples, is compiled anew by every call.
    params: of the player, `averaged(state)[0]['classifier']`.
    variables: likewise, `averaged(state)[1]['classifier']`.
    images: `[N, H, W, C]`: uint8 in [0, 255], or floating in [-1, 1].
    batch_size: images a block; the devices divide it.
    features: whether features are wanted: the classifier then takes `features=True` and
      returns `(logits, features)`, as `models.classifier.Classifier` does.
    to_model: of the kind of `images`, which then may be of any shape, as on disk; by default
      that of images.
    devices: over which a block is divided; by default this process's first alone.

  Returns:
    The predictions, in the images' order.

  Raises:
    ValueError: images of a wrong rank, dtype or range, or that are not finite.

  >>> from jaxsynth.models.classifier import Classifier
  >>> net = Classifier(num_classes=3, widths=(4, 8), features=6)
  >>> images = np.zeros((5, 8, 8, 1), np.uint8)
  >>> params, variables = networks.init(net, jax.random.key(0), jnp.zeros((1, 8, 8, 1)))
  >>> said = predict(net, params, variables, images, batch_size=2, features=True)
  >>> said.probabilities.shape, said.features.shape
  ((5, 3), (5, 6))
  """
  images = checked(images, ANY if to_model is None else (None,) * (np.ndim(images) - 1),
                   missing=to_model is not None)
  try:
    forward = _kept(classifier, features)
  except TypeError:  # it cannot be hashed
    forward = _forward(classifier, features)
  outputs = in_blocks(forward, (params, variables), images, batch_size, devices,
                      to_model=to_model)
  logits, last = outputs if features else (outputs, None)
  shifted = np.exp(logits - logits.max(1, keepdims=True))
  return Predictions(logits, shifted / shifted.sum(1, keepdims=True),
                     logits.argmax(1).astype(np.int32), last)


def _forward(classifier: Any, features: bool) -> Callable[[Tree, Array], Any]:
  options: dict[str, Any] = {'features': True} if features else {}

  def forward(weights: Tree, images: Array) -> Any:
    out, _ = networks.apply(classifier, *weights, images, **options)
    return jax.tree.map(lambda x: x.astype(jnp.float32), out)
  return forward


_kept = functools.lru_cache(maxsize=32)(_forward)  # so that each is compiled once


def checked(images: Any, shape: tuple[int | None, ...] = ANY, who: str = 'images', *,
            missing: bool = False) -> np.ndarray:
  """Images as a host array, uint8 or float32, if they are what they should be.

  Args:
    images: uint8 `[N, H, W, C]` in [0, 255], or floating in [-1, 1].
    shape: `(H, W, C)` wanted; `None` where any will do.
    who: asks, for messages.
    missing: whether values of what are no images may be NaN, as on disk, where their kind says
      what that means.

  Returns:
    The array, copied only where its dtype changes.

  Raises:
    ValueError: another rank, shape, dtype or range, no images, NaN or infinity, or images
      that are plainly in [0, 1].

  >>> checked(np.array([0., 9.]).reshape(2, 1, 1, 1))
  Traceback (most recent call last):
  ValueError: images: floating images in [0, 9], expected [-1, 1]; give them as uint8 in [0, 255]
  """
  x = np.asarray(images)
  if len(shape) != 3:
    return _numbers(x, shape, who, missing)
  if x.ndim != 4 or not x.size or any(
      want not in (None, n) for want, n in zip(shape, x.shape[1:])):
    wanted = ', '.join('HWC'[i] if n is None else str(n) for i, n in enumerate(shape))
    raise ValueError(f'{who}: images of shape {list(x.shape)}, expected [N, {wanted}], N > 0')
  if x.dtype == np.uint8:
    check_largest(int(x.max()), who)
    return x
  # numpy does not count bfloat16 among its floating types
  if not (np.issubdtype(x.dtype, np.floating) or x.dtype.name == 'bfloat16'):
    raise ValueError(f'{who}: images of dtype {x.dtype}, expected uint8 in [0, 255] or '
                     'floating in [-1, 1]')
  x = x.astype(np.float32, copy=False)
  low, high = x.min(), x.max()  # NaN if there is one
  if not np.isfinite(high - low):
    bad = ~np.isfinite(x).all((1, 2, 3))
    raise ValueError(f'{who}: {bad.sum()} of {len(x)} images are not finite, the first is '
                     f'{int(np.argmax(bad))}')
  if low < -1.0001 or high > 1.0001:
    raise ValueError(f'{who}: floating images in [{low:g}, {high:g}], expected [-1, 1]; give '
                     'them as uint8 in [0, 255]')
  if low == 0 < high:
    raise ValueError(f'{who}: floating images in [0, {high:g}], expected [-1, 1]; these seem '
                     'to be in [0, 1]: give 2 * x - 1, or uint8')
  return x


def pixels_checked(images: Any, who: str = 'images') -> np.ndarray:
  """Images as bytes, uint8 `[N, H, W, C]`, if they are what they should be.

  Raises:
    ValueError: as `checked`.

  >>> pixels_checked(np.array([-1., 1.]).reshape(2, 1, 1, 1)).ravel().tolist()
  [0, 255]
  """
  x = checked(images, who=who)
  return x if x.dtype == np.uint8 else pixels.to_uint8(x)


def _numbers(x: np.ndarray, shape: tuple[int | None, ...], who: str, missing: bool) -> np.ndarray:
  """Examples that are no images."""
  if x.ndim != len(shape) + 1 or not x.size or any(
      want not in (None, n) for want, n in zip(shape, x.shape[1:])):
    wanted = ', '.join('any' if n is None else str(n) for n in shape)
    raise ValueError(f'{who}: examples of shape {list(x.shape)}, expected [N, {wanted}], N > 0')
  if x.dtype.kind in 'fiu' and (np.isinf(x) if missing else ~np.isfinite(x)).any():
    raise ValueError(f'{who}: examples that are not finite')
  return x


def check_largest(largest: int, who: str) -> None:
  """Refuses bytes of which 1 is the largest: they would be black.

  Args:
    largest: value of all images.
    who: asks, for messages.

  Raises:
    ValueError: it is 1.
  """
  if largest == 1:
    raise ValueError(f'{who}: uint8 images whose largest value is 1, expected [0, 255]; '
                     'multiply by 255 before converting to uint8')


def in_blocks(apply: Callable[[Tree, Array], Any], params: Tree, images: np.ndarray,
              batch_size: int, devices: Sequence[jax.Device] | None = None, *,
              to_model: Callable[[Any], Array] | None = None) -> Any:
  """`apply(params, block)` over all blocks of `images`, as host arrays `[N, ...]`.

  Args:
    apply: `(params, images [batch_size, H, W, C] in [-1, 1]) -> tree of [batch_size, ...]`,
      row by row; compiled once for as long as it is the same object.
    params: its first argument.
    images: as `checked` gives them.
    batch_size: of every block; the last is padded.
    devices: over which a block is divided; by default this process's first alone.
    to_model: what `apply` is given is this of a block; by default bytes are brought to [-1, 1].
      As `apply`, compiled once for as long as it is the same object.

  Raises:
    ValueError: a `batch_size` below 1, or that the devices do not divide.
  """
  devices = jax.local_devices()[:1] if devices is None else list(devices)
  if batch_size < 1 or batch_size % len(devices):
    raise ValueError(f'batch_size={batch_size}: expected a positive multiple of the '
                     f'{len(devices)} devices')
  mesh = jax.sharding.Mesh(devices, ('batch',))
  whole, share = (jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))
                  for axes in ((), ('batch',)))
  params, outputs, flying = jax.device_put(params, whole), [], None
  for start in range(0, len(images), batch_size):
    block = images[start:start + batch_size]
    rest = batch_size - len(block)
    block = np.pad(block, ((0, rest), *((0, 0),) * (block.ndim - 1)))
    out = _run(apply, to_model, params, jax.device_put(block, share))
    if flying is not None:
      outputs.append(jax.device_get(flying))  # while the next block is computed
    flying = out
  outputs.append(jax.device_get(flying))
  return jax.tree.map(lambda *x: np.concatenate(x)[:len(images)], *outputs)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _run(apply: Callable[[Tree, Array], Any], to_model: Callable[[Any], Array] | None,
         params: Tree, images: Array) -> Any:
  if to_model is not None:
    images = to_model(images)
  elif images.dtype == jnp.uint8:
    images = pixels.scaled(images)
  return apply(params, images)
