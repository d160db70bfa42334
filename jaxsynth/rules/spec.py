"""Specs of rules: frozen dataclasses of distributions, to and from JSON."""
from collections.abc import Mapping
import dataclasses
import json
import os
import pathlib
from typing import Any, ClassVar, Protocol, TypeVar

from jaxsynth.rules import distributions
from jaxsynth.rules.distributions import Choice, Integers, Uniform


class Spec(Protocol):
  """Any frozen dataclass whose fields are made by `field`."""
  __dataclass_fields__: ClassVar[dict[str, Any]]


S = TypeVar('S', bound=Spec)


def field(default: Any, doc: str, unit: str = '', low: float = -float('inf'),
          high: float = float('inf'), names: tuple[str, ...] = ()) -> Any:
  """A field of a spec with what is known of it.

  Args:
    default: a distribution, a number, a bool or a tuple of two whole numbers.
    doc: what it says, as a phrase.
    unit: of its numbers.
    low: the least number that is allowed.
    high: the largest.
    names: those that are known, of a `Choice`.
  """
  return dataclasses.field(default=default, metadata={
      'doc': doc, 'unit': unit, 'low': low, 'high': high, 'names': names})


def check(spec: Spec) -> None:
  """Refuses values out of the bounds of their fields; what a spec's `__post_init__` calls.

  Raises:
    ValueError: it begins with the name of the field.
  """
  for name, about in spec.__dataclass_fields__.items():
    value, low, high = getattr(spec, name), about.metadata['low'], about.metadata['high']
    if isinstance(about.default, (Uniform, Integers, Choice)):
      if not isinstance(value, type(about.default)):
        raise ValueError(f'{name}={value!r}: expected {type(about.default).__name__}')
      distributions.check(value, name, low, high, about.metadata['names'])
    elif isinstance(about.default, tuple):
      if len(value) != 2 or not all(isinstance(x, int) and low <= x <= high for x in value):
        raise ValueError(f'{name}={value!r}: expected two whole numbers in [{low:g}, {high:g}]')
    elif isinstance(about.default, bool):
      if not isinstance(value, bool):
        raise ValueError(f'{name}={value!r}: expected true or false')
    elif isinstance(about.default, str):
      if value not in about.metadata['names']:
        raise ValueError(f'{name}={value!r}: expected {", ".join(about.metadata["names"])}')
    elif not distributions.is_number(value) or not low <= value <= high or (
        isinstance(about.default, int) and value != int(value)):
      whole = 'a whole number' if isinstance(about.default, int) else 'a number'
      raise ValueError(f'{name}={value!r}: expected {whole} in [{low:g}, {high:g}]')


def to_json(spec: Spec) -> dict[str, Any]:
  """All fields, as JSON has them; `of_json` gives an equal spec."""
  plain = lambda x: (distributions.to_json(x) if isinstance(x, (Uniform, Integers, Choice))
                     else list(x) if isinstance(x, tuple) else x)
  return {name: plain(getattr(spec, name)) for name in spec.__dataclass_fields__}


def changed(spec: Spec) -> dict[str, Any]:
  """The fields that are not as by default, as JSON has them."""
  usual = to_json(type(spec)())
  return {name: x for name, x in to_json(spec).items() if x != usual[name]}


def of_json(kind: type[S], values: Mapping[str, Any]) -> S:
  """The spec of a dictionary; what it lacks takes the default.

  Args:
    kind: the spec's class.
    values: as read from JSON.

  Raises:
    ValueError: an unknown name, or a value that its field cannot have.
  """
  if not isinstance(values, Mapping):
    raise ValueError(f'{values!r}: expected a dictionary of {", ".join(kind.__dataclass_fields__)}')
  given = {}
  for name, value in values.items():
    about = kind.__dataclass_fields__.get(name)
    if about is None:
      raise ValueError(f'{name}: no such field; expected {", ".join(kind.__dataclass_fields__)}')
    if isinstance(about.default, (Uniform, Integers, Choice)):
      value = distributions.from_json(value, type(about.default), name)
    elif isinstance(about.default, tuple):
      if not isinstance(value, list):
        raise ValueError(f'{name}={value!r}: expected a list of two whole numbers')
      value = tuple(value)
    given[name] = value
  return kind(**given)


def read(kind: type[S], text: str | os.PathLike) -> S:
  """The spec in a JSON file, or in the text itself where it begins with a brace.

  Raises:
    ValueError: no JSON, or as `of_json`.
    OSError: the file cannot be read.
  """
  text = str(text)
  whole = text if text.lstrip().startswith('{') else pathlib.Path(
      text).expanduser().read_text(encoding='utf-8')
  try:
    values = json.loads(whole)
  except json.JSONDecodeError as error:
    raise ValueError(f'{text}: not JSON: {error}') from error
  return of_json(kind, values)
