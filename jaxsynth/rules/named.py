"""The rules that programs know by name."""
from collections.abc import Callable, Mapping
import os
from typing import Any, NamedTuple

from jaxsynth.rules import spec as spec_
from jaxsynth.rules.heart import heart, Heart
from jaxsynth.rules.levels import levels, Levels
from jaxsynth.rules.prices import prices, Prices
from jaxsynth.rules.rule import Rule
from jaxsynth.rules.scenes import scenes, Scenes
from jaxsynth.rules.shapes import shapes, Shapes


class Named(NamedTuple):
  """A rule before its spec is known.

  Attributes:
    spec: the class of its specs.
    rule: from a spec to the rule.
  """
  spec: type
  rule: Callable[[Any], Rule]


RULES: Mapping[str, Named] = {
    'shapes': Named(Shapes, shapes), 'scenes': Named(Scenes, scenes),
    'levels': Named(Levels, levels), 'prices': Named(Prices, prices),
    'heart': Named(Heart, heart)}


def of_name(name: str, text: str | os.PathLike | None = None) -> Rule:
  """A rule by its name, and its spec as JSON.

  Args:
    name: a key of `RULES`.
    text: JSON, or the name of a file of JSON; what it lacks takes the default.

  Raises:
    ValueError: no such rule, or a spec that cannot be; it begins with the field's name.
    OSError: the file cannot be read.

  >>> of_name('shapes', '{"shape": ["star", "ring"]}').class_names
  ('star', 'ring')
  """
  if name not in RULES:
    raise ValueError(f'{name}: no such rule; expected {", ".join(RULES)}')
  named = RULES[name]
  return named.rule(named.spec() if text is None else spec_.read(named.spec, text))
