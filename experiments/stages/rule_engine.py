"""A rule as the engine of a pipeline, in the place of a training; checked before any work."""
from collections.abc import Mapping
import json
from typing import Any, NamedTuple

from jaxsynth.data import classes, DatasetSpec
from jaxsynth.rules import named, spec as specs
from jaxsynth.rules.distributions import Choice
from jaxsynth.rules.rule import kind_of, Rule
from stages import collected
from stages.stage import Args

SIZES = ('pixels', 'cells')  # units of the fields that an image's size follows from


class RuleEngine(NamedTuple):
  """What draws in the place of a trained model.

  Attributes:
    name: of the rule.
    rule: which.
  """
  name: str
  rule: Rule

  @property
  def changed(self) -> dict[str, Any]:
    """The fields of the spec that are not as by default, as JSON has them."""
    return specs.changed(self.rule.spec)

  @property
  def about(self) -> dict[str, str]:
    """What makes it again; all text."""
    return {'rule': self.name, 'spec': json.dumps(self.changed)}

  @property
  def flags(self) -> Args:
    """What `synthesize.py` draws from it by."""
    return (f'--rule={self.name}', *((f'--spec={json.dumps(self.changed)}',)
                                     if self.changed else ()))


def of_about(about: Mapping[str, str]) -> RuleEngine | None:
  """The engine of a record; `None` of one that this version cannot make."""
  try:
    return RuleEngine(about['rule'], named.of_name(about['rule'], about['spec']))
  except (KeyError, ValueError):
    return None


def check_pictures(engine: RuleEngine) -> RuleEngine:
  """The engine, if it draws pictures: all that the stages can judge.

  Raises:
    ValueError: it draws something else, or videos.
  """
  fields = kind_of(engine.rule).fields
  if 'image' not in fields:
    raise ValueError(f'--rule={engine.name}: its examples are {", ".join(fields)}; expected a rule '
                     'of pictures, as shapes')
  shape = fields['image'].shape
  if len(shape) != 3:
    raise ValueError(f'--spec: frames={shape[0]}: the rule {engine.name} then draws videos, of '
                     f'{"x".join(map(str, shape))}; expected pictures, as of "frames": 1')
  return engine


def check_fits(engine: RuleEngine, spec: DatasetSpec, collection: Mapping[str, Any]) -> None:
  """Holds that what the engine draws can stand beside the data.

  Args:
    engine: which.
    spec: of the data.
    collection: collection.json of them.

  Raises:
    ValueError: images of another shape, or other classes; it names the field of the spec.
  """
  _check_shape(engine, spec, collection)
  names = tuple(collected.class_counts(collection))
  if names and _places(engine.rule.class_names, names) is None:
    field, known = _class_field(engine.rule)
    there = f'--spec: {field}' if field else f'--rule={engine.name}'
    mend = (f'; --spec={json.dumps({field: names})} would' if set(names) <= set(known) else
            '; name other data or another rule')
    raise ValueError(
        f'{there}: the classes of the rule {engine.name} and of {collection["dataset"]} do not '
        f'fit: the rule has {classes.listed(engine.rule.class_names)}; {collection["dataset"]} has '
        f'{classes.listed(names)}. Expected the same classes by the same names{mend}')


def label_counts(engine: RuleEngine, collection: Mapping[str, Any]) -> list[int] | None:
  """Training images of each class, in the order of the rule's; `None` of data without labels."""
  counts = collected.class_counts(collection)
  places = _places(engine.rule.class_names, tuple(counts))
  return [list(counts.values())[k] for k in places] if places and counts else None


def _check_shape(engine: RuleEngine, spec: DatasetSpec, collection: Mapping[str, Any]) -> None:
  drawn = kind_of(engine.rule).fields['image'].shape
  wanted = collected.image_shape(spec, collection)
  if drawn == wanted:
    return
  has, fields = specs.to_json(engine.rule.spec), engine.rule.spec.__dataclass_fields__
  guilty = [name for name, about in fields.items() if (
      drawn[:2] != wanted[:2] and about.metadata['unit'] in SIZES or
      drawn[2] != wanted[2] and name == 'channels')]
  right = {'image_size': list(wanted[:2]), 'channels': wanted[2]}
  ways = [f'--spec={json.dumps({name: right[name] for name in guilty})}'] if (
      guilty and set(guilty) <= set(right)) else []
  if spec.kind != 'rule':  # others can be brought to a size
    ways.append(f'--image_size={drawn[0]},{drawn[1]} --channels={drawn[2]}')
  there = f'--spec: {", ".join(f"{name}={has[name]}" for name in guilty)}' if guilty else (
      f'--rule={engine.name}')
  by_size = lambda shape: 'x'.join(map(str, shape))
  raise ValueError(
      f'{there}: the rule {engine.name} draws images of {by_size(drawn)}, and those of '
      f'{collection["dataset"]} are {by_size(wanted)}. Expected images of one shape' + (
          f', as {" or ".join(ways)} would make them' if ways else ''))


def _places(names: tuple[str, ...], among: tuple[str, ...]) -> list[int] | None:
  """Where each class of the rule stands among the data's; `None` unless both have the same."""
  if len(names) != len(among):
    return None
  places = classes.places(names, among)
  back = classes.places(among, names)  # data whose classes are numbers: positions in the rule's
  if None in places and None not in back:
    places = [back.index(k) for k in range(len(names))]
  return None if None in places else [k for k in places if k is not None]


def _class_field(rule: Rule) -> tuple[str, tuple[str, ...]]:
  """The field of a spec whose names are the rule's classes, and the names that it may have."""
  for name, about in rule.spec.__dataclass_fields__.items():
    value = getattr(rule.spec, name)
    if isinstance(value, Choice) and value.names == rule.class_names:
      return name, about.metadata['names']
  return '', ()
