"""How a score was measured, carried beside it: no score without its card."""
from collections.abc import Mapping
import json
import math
import platform as platforms
from typing import Any, NamedTuple

import jax
import numpy as np

import jaxsynth

LOOSE = ('versions', 'platform')  # reported; they matter only if asked strictly


class ProtocolError(ValueError):
  """Two scores were measured differently."""


class Protocol(NamedTuple):
  """How a score was measured. Make one with `Protocol.of`.

  Attributes:
    score: its name, `'frechet_mnist'`; see `features.score_name`.
    features: the feature extractor's name.
    sha256: of the feature extractor's weights.
    resizer: what was done to the images' size before the features.
    n_real: real examples.
    n_fake: synthetic examples.
    split: of which the real examples are, `'mnist/test'`.
    dtype: in which the score was computed from the features.
    seed: of what the score draws (subsets, projections), not the model's; `None`
      where it draws nothing.
    settings: the score's own arguments, `{'k': 5}`.
    versions: of jaxsynth, jax and numpy.
    platform: machine, and JAX's backend.
  """
  score: str
  features: str
  sha256: str
  resizer: str
  n_real: int
  n_fake: int
  split: str
  dtype: str
  seed: int | None
  settings: Mapping[str, Any]
  versions: Mapping[str, str]
  platform: str

  @classmethod
  def of(cls, score: str, features: Any, *, n_real: int, n_fake: int, split: str,
         dtype: Any = np.float64, seed: int | None = None,
         settings: Mapping[str, Any] | None = None) -> 'Protocol':
    """The card of a score computed here and now.

    Args:
      score: its name.
      features: has `name`, `sha256` and `resizer`, as `features.Features` has.
      n_real: real examples, at least 1.
      n_fake: synthetic examples, at least 1.
      split: of which the real examples are.
      dtype: in which the score was computed.
      seed: of what the score draws, or `None`.
      settings: the score's own arguments, of JSON's types.

    Returns:
      The card, with the versions and the platform of this process.

    Raises:
      ValueError: no examples, an empty name, or settings that JSON does not keep.

    >>> import types
    >>> card = Protocol.of('frechet_pixels', types.SimpleNamespace(
    ...     name='pixels', sha256='0' * 64, resizer='none'), n_real=9, n_fake=9, split='x')
    >>> Protocol.from_json(card.to_json()) == card
    True
    """
    for name, n in (('n_real', n_real), ('n_fake', n_fake)):
      if int(n) != n or n < 1:
        raise ValueError(f'{name}={n}: expected how many examples were scored, at least 1')
    if not score or not split:
      raise ValueError(f'score={score!r}, split={split!r}: expected the name of the score, and '
                       "of the split that the real examples are of, say 'mnist/test'")
    kept = dict(settings or {})
    try:
      same = json.loads(json.dumps(kept, allow_nan=False)) == kept
    except (TypeError, ValueError):
      same = False
    if not same:
      raise ValueError(f'settings={settings}: expected names and numbers, strings, lists, None')
    versions = {'jaxsynth': jaxsynth.__version__, 'jax': jax.__version__,
                'numpy': np.__version__}
    return cls(score, features.name, features.sha256, features.resizer, int(n_real),
               int(n_fake), split, np.dtype(dtype).name, None if seed is None else int(seed),
               kept, versions, f'{platforms.system()} {platforms.machine()}, '
               f'{jax.default_backend()}')

  def to_json(self) -> str:
    """One line of JSON."""
    return json.dumps(self._asdict(), allow_nan=False)

  @classmethod
  def from_json(cls, text: str) -> 'Protocol':
    """The card that `to_json` wrote; `ValueError` if fields are missing or unknown."""
    return cls(**_fields(cls, json.loads(text)))


def differences(a: Protocol, b: Protocol, *, strict: bool = False) -> dict[str, tuple[Any, Any]]:
  """Fields that differ and matter, with both values; `strict` adds versions and platform."""
  names = [name for name in Protocol._fields if strict or name not in LOOSE]
  return {name: (getattr(a, name), getattr(b, name)) for name in names
          if getattr(a, name) != getattr(b, name)}


def check_same(a: Protocol, b: Protocol, *, strict: bool = False) -> None:
  """Raises `ProtocolError`, naming fields and values, if two scores cannot be compared."""
  differing = differences(a, b, strict=strict)
  if differing:
    listed = '; '.join(f'{name}: {x!r} and {y!r}' for name, (x, y) in differing.items())
    raise ProtocolError(f'scores measured differently cannot be compared ({listed}); '
                        'measure both again with one protocol')


class Scored(NamedTuple):
  """A score, what real data scores against itself, and how both were measured.

  Attributes:
    value: of the synthetic against the real examples.
    floor: real against other real examples, at the same sizes, by the same protocol:
      what a perfect generator would score.
    standard_error: of `value`, or `None` if it was not estimated.
    protocol: how.
  """
  value: float
  floor: float
  standard_error: float | None
  protocol: Protocol

  def __str__(self) -> str:
    error = '' if self.standard_error is None else f' ± {self.standard_error:.2g}'
    card = self.protocol
    return (f'{card.score} {self.value:.4g}{error} (real against real {self.floor:.4g}; '
            f'{card.n_real:,} real of {card.split}, {card.n_fake:,} synthetic, '
            f'features {card.sha256[:8]})')

  def to_json(self) -> str:
    """One line of JSON, the card in it.

    Raises:
      ValueError: a value that is not finite, which JSON cannot hold.
    """
    row = {'value': float(self.value), 'floor': float(self.floor),
           'standard_error': self.standard_error and float(self.standard_error),
           'protocol': self.protocol._asdict()}
    bad = [k for k in ('value', 'floor', 'standard_error')
           if row[k] is not None and not math.isfinite(row[k])]  # type: ignore[arg-type]
    if bad:
      raise ValueError(f'{self.protocol.score}: {", ".join(f"{k}={row[k]}" for k in bad)}: '
                       'expected finite numbers')
    return json.dumps(row, allow_nan=False)

  @classmethod
  def from_json(cls, text: str) -> 'Scored':
    """The score that `to_json` wrote; `ValueError` if fields are missing or unknown."""
    row = _fields(cls, json.loads(text))
    return cls(**{**row, 'protocol': Protocol(**_fields(Protocol, row['protocol']))})


def difference(a: Scored, b: Scored, *, strict: bool = False) -> tuple[float, float | None]:
  """`a - b` and its standard error `sqrt(se_a^2 + se_b^2)`, of independent scores.

  Raises:
    ProtocolError: they were measured differently.
  """
  check_same(a.protocol, b.protocol, strict=strict)
  if a.standard_error is None or b.standard_error is None:
    return a.value - b.value, None
  return a.value - b.value, math.hypot(a.standard_error, b.standard_error)


def _fields(kind: Any, row: Any) -> dict[str, Any]:
  if not isinstance(row, dict) or set(row) != set(kind._fields):
    have = sorted(row) if isinstance(row, dict) else type(row).__name__
    raise ValueError(f'not a {kind.__name__}: it has {have}, expected {list(kind._fields)}')
  return row
