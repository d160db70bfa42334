"""A rule in the place of a trained model: data sets of it are written by the same engine."""
import hashlib
import json
import pathlib

from jaxsynth.rules import spec
from jaxsynth.rules.rule import kind_of, Rule, sampler
from jaxsynth.runs.loading import Trained
from jaxsynth.runs.run import Run
from jaxsynth.types import Objective


def of_rule(name: str, rule: Rule) -> Trained:
  """What draws from a rule; sample i is a function of the spec, the seed and i.

  Args:
    name: of the rule.
    rule: which.
  """
  def learned(*_: object) -> tuple:
    raise TypeError(f'the rule {name} is written down, and not learned')
  classes = len(rule.class_names) or None
  kind, text = kind_of(rule), json.dumps(spec.to_json(rule.spec), sort_keys=True)
  digest = hashlib.sha256(f'{name} {text}'.encode()).hexdigest()
  shape = kind.shape[-3:]
  record = {'experiment': None, 'flags': {'rule': name, 'spec': json.loads(text)},
            'data': {'name': f'rule:{name}', 'image_shape': list(shape), 'num_classes': classes,
                     'class_names': list(rule.class_names)}}
  run = Run(Objective(learned, learned, sampler(rule)), {}, num_classes=classes,
            summary=f'The rule {name}')
  return Trained(run, {}, {}, digest, record, pathlib.Path(), drawn=kind)
