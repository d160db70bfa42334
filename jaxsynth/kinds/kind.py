"""The one value that says what an example is.

An example is named arrays, of which models learn one. A name with a slash, as `objects/box`, is
that of a nested feature.
"""
from collections.abc import Callable, Mapping
import functools
from typing import Any, Literal, NamedTuple
import zlib

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.kinds import message, png
from jaxsynth.metrics.features import Features
from jaxsynth.pixels import quantized

# how an array lies in a record: as PNG, several of them where it has four axes; as the position
# of a class; as numbers; or as compressed bytes
Form = Literal['image', 'class', 'numbers', 'compressed']


class Field(NamedTuple):
  """One named array of an example.

  Attributes:
    shape: on disk, without a batch's axis.
    dtype: on disk.
    form: how it lies in a record.
    num_classes: of a class.
    names: of the classes, in their order; `None` where they are numbers.
  """
  shape: tuple[int, ...]
  dtype: str = 'uint8'
  form: Form = 'image'
  num_classes: int | None = None
  names: tuple[str, ...] | None = None


class Kind(NamedTuple):
  """What an example is.

  Attributes:
    fields: by name, in the order in which they are told.
    to_disk: from what a model or rule draws to arrays of these shapes and dtypes, of a batch, on
      the device, inside jit; labels are not among them where they are drawn for.
    shown: from such arrays, on the host, to pictures uint8 `[n, H, W, 1 or 3]`.
    name: of the array that models learn.
    plural: what several examples are called; also their name in an .npz file.
    to_model: from that array, of a batch as on disk, to floats as networks take them, which
      samples are cropped to [-1, 1] of; on the device, inside jit.
    checked: `(values, who) -> values`: that array as on disk, fit to be learned from and scored;
      it raises `ValueError` in the name of who has it where it is not.
    features: `(name, digits) -> features` of what `to_model` gives, as `metrics.features.by_name`.
    pooled: `(values, side) -> float32 [N, D]` in model units: that array averaged down to no more
      than `side` places along each axis, on the host.
    condition: name of the array that samples are drawn for, or `None`.
    settings: what a record keeps beside the shape so that `recorded.kind_of_record` makes it
      anew, of JSON's types; empty for images.
    columns: names of the numbers of an example, where they have names.
    texts: from arrays of examples as on disk, labels among them, to the columns of the table of
      text that people keep such examples in, by name; `None` where they do not.
    plain: `values -> [N, ...]`: that array as numbers whose differences mean the same wherever
      they stand, for histograms, moments and distances; as it is, of most kinds.
    shows_real: whether a page may show a real example beside the synthetic one that is most like
      it; not of what is of persons.
    meaning: what two sets must have in common, besides the name and the shape, for their numbers
      to mean the same; empty where these are enough.
    repeats: whether two examples may well be equal to the bit by chance, so that it takes more
      than a few of them in two sets to say that these share them.
    words: for those of pages and messages that are written of images, as `{'images': 'series'}`.
  """
  fields: Mapping[str, Field]
  to_disk: Callable[[Any], dict[str, Array]]
  shown: Callable[[Mapping[str, np.ndarray]], np.ndarray]
  name: str
  plural: str
  to_model: Callable[[Any], Array]
  checked: Callable[[Any, str], np.ndarray]
  features: Callable[[str, bool], Features]
  pooled: Callable[[np.ndarray, int], np.ndarray]
  condition: str | None = None
  settings: Mapping[str, Any] = {}
  columns: tuple[str, ...] = ()
  texts: Callable[[Mapping[str, np.ndarray]], dict[str, list[str]]] | None = None
  plain: Callable[[np.ndarray], np.ndarray] = lambda values: values
  shows_real: bool = True
  meaning: str = ''
  repeats: bool = False
  words: Mapping[str, str] = {}

  @property
  def shape(self) -> tuple[int, ...]:
    """Of the array that models learn, of one example."""
    return self.fields[self.name].shape

  def in_model(self, batch: Mapping[str, Any]) -> Mapping[str, Array]:
    """A batch as on disk as models take it, compiled; its other arrays stay as they are."""
    return _in_model(self.name, self.to_model)(batch)

  def on_disk(self, drawn: Any) -> np.ndarray:
    """The array that models learn as it lies on disk, of what a model has drawn; on the host."""
    return np.asarray(_to_disk(self.to_disk)(drawn)[self.name])

  def record(self, example: Mapping[str, np.ndarray]) -> bytes:
    """One example, as on disk, as a `tf.train.Example`."""
    return message.serialize({name: _value(field, np.asarray(example[name]))
                              for name, field in self.fields.items()})

  def tfds_features(self) -> dict[str, Any]:
    """What tensorflow-datasets calls them, nested."""
    nested: dict[str, Any] = {}
    for name, field in self.fields.items():
      *above, last = name.split('/')
      here = nested
      for part in above:
        here = here.setdefault(part, {})
      here[last] = _tfds_feature(field)
    return nested


@functools.lru_cache(maxsize=16)
def _in_model(name: str, to_model: Callable[[Any], Array]
              ) -> Callable[[Mapping[str, Any]], Mapping[str, Array]]:
  return jax.jit(lambda batch: {**batch, name: to_model(batch[name])})


@functools.lru_cache(maxsize=16)
def _to_disk(to_disk: Callable[[Any], dict[str, Array]]) -> Callable[[Any], dict[str, Array]]:
  return jax.jit(to_disk)


def on_disk(field: Field, x: Array) -> Array:
  """A batch of a model's array as it lies on disk; pixels in [-1, 1] become bytes.

  >>> on_disk(Field((1, 1, 1)), jnp.array([[[[1.]]]])).dtype
  dtype('uint8')
  """
  if field.form == 'image' and jnp.issubdtype(x.dtype, jnp.floating):
    x = quantized(x)
  x = x.reshape(x.shape[0], *field.shape)
  return x if field.dtype == 'int64' else x.astype(field.dtype)  # JAX has 32 bits


def _value(field: Field, x: np.ndarray) -> message.Value:
  if field.form == 'image':
    return png.encode(x) if x.ndim == 3 else [png.encode(frame) for frame in x]
  if field.form == 'compressed':
    return zlib.compress(np.ascontiguousarray(x, np.dtype(field.dtype).newbyteorder('<')).tobytes(),
                         png.LEVEL)
  return x


def _tfds_feature(field: Field) -> Any:
  import tensorflow_datasets as tfds  # slow to load
  features = tfds.features
  if field.form == 'image':
    image = features.Image(shape=field.shape[-3:])
    return image if len(field.shape) == 3 else features.Sequence(image, length=field.shape[0])
  if field.form == 'class':
    named = field.names is not None and field.names != tuple(
        map(str, range(field.num_classes or 0)))
    return features.ClassLabel(**({'names': list(field.names or ())} if named else
                                  {'num_classes': field.num_classes}))
  encoding = features.Encoding.ZLIB if field.form == 'compressed' else features.Encoding.NONE
  return features.Tensor(shape=field.shape, dtype=np.dtype(field.dtype), encoding=encoding)
