"""The flags of an audit, and the audit that they ask for."""
import pathlib
from typing import Any

from absl import flags

from common import experiments, paths
from jaxsynth import evaluation, runs
from jaxsynth.data import canaries
from jaxsynth.evaluation import audit as audits, loss_audit, provenance as provenances
from jaxsynth.evaluation.embedded import Embedded
from jaxsynth.privacy.guarantee import Guarantee
from jaxsynth.runs import record as records

NAMES = ('audit', 'run')
FILE = 'audit.jsonl'


def define(values: flags.FlagValues) -> None:
  """Defines `--audit` and `--run`."""
  flags.DEFINE_bool('audit', False, 'Attack the synthetic set: can it be told which real examples '
                    'were learned from? Of a run its losses are attacked too, and canaries.',
                    flag_values=values)
  paths.define('run', None, 'With --audit, the run that drew --synthetic; by default --synthetic '
               'itself, where it is one.', values)
  flags.register_multi_flags_validator(
      ['audit', 'run'], lambda x: x['audit'] or x['run'] is None, '--run is of --audit',
      flag_values=values)


def privacy(values: flags.FlagValues, comparison: evaluation.Comparison, embedded: Embedded
            ) -> tuple[Guarantee | None, list[dict[str, Any]] | None]:
  """What was promised of the synthetic set, and lines of audit.jsonl if an audit is asked for.

  Raises:
    ValueError, OSError: no training set is known, no such run, or one that did not draw the set.
  """
  given = provenances.provenance(values.synthetic)
  if not values.audit:
    return given.guarantee, None
  asked = audits.candidates(comparison)
  attacks = audits.sample_attacks(comparison, embedded, asked)
  notes = audits.doubts(comparison, given)
  folder = given.run if values.run is None else pathlib.Path(values.run)
  guarantee = given.guarantee
  if folder is None:
    notes.append('Losses were not attacked, as no run was named by --run.')
  else:
    step = runs.best_step(folder) if values.step == 'best' else values.step
    model = experiments.load(folder, None if step is None else int(step))
    if given.model not in (None, model.digest):
      raise ValueError(f'--run={folder}: not the model that drew {values.synthetic}, by the digest '
                       'of its parameters; name the run that did, and its --step')
    guarantee = guarantee or provenances.provenance(folder).guarantee
    delta = guarantee.delta if guarantee and guarantee.delta else loss_audit.DELTA
    for what, attacked in (
        ('Losses', lambda: loss_audit.loss_attacks(model, asked, comparison.class_names,
                                                   comparison.seed)),
        ('Canaries', lambda: _of_canaries(values, model, delta, comparison.seed))):
      try:
        attacks += attacked()
      except (ValueError, OSError, ImportError) as error:
        notes.append(f'{what} were not attacked: {error}.')
  return guarantee, audits.Audit(guarantee, attacks, notes).rows()


def _of_canaries(values: flags.FlagValues, model: runs.Trained, delta: float, seed: int
                 ) -> list[audits.Attack]:
  """Attacks on a run's canaries; none where it has none."""
  if not (model.folder / canaries.NAME).is_file():
    return []
  spec = model.spec._replace(data_dir=values.data_dir or model.spec.data_dir)
  planted = canaries.read(model.folder, records.open_data(spec, model.record))
  return [] if planted is None else loss_audit.canary_attacks(model, planted, delta, seed)
