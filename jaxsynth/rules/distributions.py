"""What a spec says of one number or name: from what it is drawn."""
from collections.abc import Sequence
import math
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp


class Uniform(NamedTuple):
  """Any number between two, or one number where both are equal.

  >>> Uniform(2, 3).draw(jax.random.key(0)).shape
  ()
  """
  low: float
  high: float

  def of(self, u: Array) -> Array:
    """What a number in [0, 1) stands for, so that uniform ones give this distribution."""
    return self.low + (self.high - self.low) * u

  def draw(self, key: Array, shape: Sequence[int] = ()) -> Array:
    """Float32 `shape`."""
    return self.of(jax.random.uniform(key, shape))


class Integers(NamedTuple):
  """A whole number between two, both included."""
  low: int
  high: int

  def of(self, u: Array) -> Array:
    """As `Uniform.of`."""
    many = self.high - self.low + 1
    return self.low + jnp.minimum((u * many).astype(jnp.int32), many - 1)

  def draw(self, key: Array, shape: Sequence[int] = ()) -> Array:
    """Int32 `shape`."""
    return self.of(jax.random.uniform(key, shape))


class Choice(NamedTuple):
  """One of several names, in proportion to weights; equally without them.

  >>> Choice(('circle', 'square'), (1, 3)).shares
  (0.25, 0.75)
  """
  names: tuple[str, ...]
  weights: tuple[float, ...] = ()

  @property
  def shares(self) -> tuple[float, ...]:
    """The probability of each."""
    weights = self.weights or (1.,) * len(self.names)
    return tuple(weight / sum(weights) for weight in weights)

  def of(self, u: Array) -> Array:
    """As `Uniform.of`."""
    edges = jnp.cumsum(jnp.array(self.shares))[:-1]
    return jnp.sum(u[..., None] >= edges.reshape((1,) * u.ndim + (-1,)), -1, dtype=jnp.int32)

  def draw(self, key: Array, shape: Sequence[int] = ()) -> Array:
    """Int32 `shape`: positions in `names`."""
    return self.of(jax.random.uniform(key, shape))


Distribution = Uniform | Integers | Choice


def to_json(value: Distribution) -> Any:
  """A list of both ends, a list of names, or a dictionary of names and weights.

  >>> to_json(Uniform(0, .5)), to_json(Choice(('a', 'b'))), to_json(Choice(('a', 'b'), (1, 2)))
  ([0, 0.5], ['a', 'b'], {'a': 1, 'b': 2})
  """
  if isinstance(value, Choice):
    return dict(zip(value.names, value.weights)) if value.weights else list(value.names)
  return list(value)


def from_json(value: Any, kind: type, field: str) -> Distribution:
  """Of what `to_json` gives; one number stands for a range of it alone, one name for a choice.

  Args:
    value: as read from JSON.
    kind: which distribution is expected.
    field: its name, for messages.

  Raises:
    ValueError: it is of another form.

  >>> from_json(3, Uniform, 'radius'), from_json('star', Choice, 'shape')
  (Uniform(low=3, high=3), Choice(names=('star',), weights=()))
  """
  if kind is Choice:
    if isinstance(value, str):
      return Choice((value,))
    if isinstance(value, dict):
      return Choice(tuple(value), tuple(value.values()))
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
      return Choice(tuple(value))
    raise ValueError(f'{field}={value!r}: expected a name, a list of names, or a dictionary of '
                     'names and their weights')
  ends = value if isinstance(value, list) else [value, value]
  if len(ends) != 2 or not all(is_number(end) for end in ends):
    raise ValueError(f'{field}={value!r}: expected a number, or a list of the lowest and the '
                     'highest')
  return kind(*ends)


def is_number(value: Any) -> bool:
  """Whether it is an int or a float, and no bool."""
  return isinstance(value, (int, float)) and not isinstance(value, bool)


def check(value: Distribution, field: str, low: float = -math.inf, high: float = math.inf,
          names: Sequence[str] = ()) -> None:
  """Refuses a distribution that is empty or leaves its bounds.

  Args:
    value: which.
    field: its name, for messages.
    low: the least number that is allowed.
    high: the largest.
    names: those that are known, of a choice.

  Raises:
    ValueError: it says the field, what was given and what was expected.

  >>> check(Uniform(.5, .2), 'radius', 0, .5)
  Traceback (most recent call last):
  ...
  ValueError: radius=[0.5, 0.2]: an empty range; expected the lowest number first
  """
  given = f'{field}={to_json(value)}'
  if isinstance(value, Choice):
    if not value.names or len(set(value.names)) != len(value.names):
      raise ValueError(f'{given}: expected at least one name, and each once')
    if unknown := [name for name in value.names if name not in names]:
      raise ValueError(f'{given}: {unknown[0]!r} is unknown; expected {", ".join(names)}')
    if value.weights and (len(value.weights) != len(value.names) or not all(
        is_number(x) and 0 < x < math.inf for x in value.weights)):
      raise ValueError(f'{given}: expected a weight above 0 for each name')
    return
  if not all(is_number(end) and math.isfinite(end) for end in value):
    raise ValueError(f'{given}: expected finite numbers')
  if isinstance(value, Integers) and not all(end == int(end) for end in value):
    raise ValueError(f'{given}: expected whole numbers')
  if value.low > value.high:
    raise ValueError(f'{given}: an empty range; expected the lowest number first')
  if value.low < low or value.high > high:
    raise ValueError(f'{given}: expected numbers in [{low:g}, {high:g}]')
