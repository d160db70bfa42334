"""What a pipeline's page says of an engine that is a rule."""
import json
from typing import Any

from jaxsynth.data import DatasetSpec, ruled
from jaxsynth.report import Item, Note, Table
from jaxsynth.rules import named, spec as specs
from stages.rule_engine import RuleEngine


def sentence(engine: RuleEngine, data: DatasetSpec | None) -> str:
  """The engine in a sentence, beside the data where they are drawn by the same rule."""
  theirs = _data_spec(engine, data)
  start = f'The engine is the rule {engine.name}, which is written down and not learned'
  if theirs is None:
    changed = _listed(engine.changed)
    return f'{start}; of its spec not as by default: {changed}.' if changed else (
        f'{start}; its spec is the default.')
  mine = specs.to_json(engine.rule.spec)
  other = {name: x for name, x in theirs.items() if mine[name] != x}
  if not other:
    return (f'{start}. The data are drawn by the same rule from the same spec, so chance alone '
            'tells them apart.')
  return (f'{start}. The data are drawn by the same rule from another spec: there '
          f'{_listed(other)}; here {_listed({name: mine[name] for name in other})}.')


def items(engine: RuleEngine, data: DatasetSpec | None) -> list[Item]:
  """What of its spec is worth a look: all that is not as by default, here or in the data."""
  theirs, mine = _data_spec(engine, data), specs.to_json(engine.rule.spec)
  usual = specs.to_json(type(engine.rule.spec)())
  names = [name for name in mine
           if mine[name] != usual[name] or theirs and theirs[name] != usual[name]]
  if not names:
    return [Note('Every field of its spec is as by default.')]
  fields = engine.rule.spec.__dataclass_fields__
  columns = ['field', 'what it says', 'unit', 'default', 'engine', *(['data'] if theirs else [])]
  rows = [[name, fields[name].metadata['doc'], fields[name].metadata['unit'],
           *(json.dumps(x[name]) for x in (usual, mine, theirs) if x)] for name in names]
  return [Table('Fields of the spec that are not as by default'
                + (', in the engine or in the data' if theirs else ''), columns, rows)]


def _data_spec(engine: RuleEngine, data: DatasetSpec | None) -> dict[str, Any] | None:
  """The spec of data that are drawn by the same rule, as JSON has it."""
  if data is None or data.kind != 'rule':
    return None
  name, text = ruled.parsed(data.dataset)
  try:
    return specs.to_json(named.of_name(name, text).spec) if name == engine.name else None
  except (OSError, ValueError):  # its file is elsewhere now
    return None


def _listed(fields: dict[str, Any]) -> str:
  return ', '.join(f'{name} {json.dumps(x)}' for name, x in fields.items())
