"""The flags of private training, and what they make of a family's run."""
from collections.abc import Mapping
import math
import pathlib
from typing import Any

from absl import flags
import jax
import jax.numpy as jnp
import numpy as np

from jaxsynth import data, parallel, runs
from jaxsynth.data.kinded import kind_of
from jaxsynth.privacy import calibrated, Plan
from jaxsynth.privacy.budget import Budget, charges, rows_for
from jaxsynth.privacy.plan import LEFT_OUT, OF_VALUES
from jaxsynth.privacy.private_grad import PADDING
from jaxsynth.privacy.refusals import check_objective, check_variables, seeing
from jaxsynth.runs import record as records

# what --epsilon alone gives a meaning to
BESIDE = {'noise_multiplier': 0., 'multiplicity': 1, 'private_players': []}


def define(values: flags.FlagValues) -> None:
  """Defines them."""
  number, whole = flags.DEFINE_float, flags.DEFINE_integer
  at_least = lambda n: {'lower_bound': n, 'flag_values': values}
  number('epsilon', None, 'Train with differential privacy of one example, to this bound at most; '
         'not given, nothing is private.', flag_values=values)
  number('delta', 1e-5, 'Probability by which the privacy may fail; below 1 / examples.',
         flag_values=values)
  number('clip_norm', 1., "Longest gradient of one example, with --epsilon.", flag_values=values)
  number('noise_multiplier', 0., 'Standard deviation of the noise on their sum, in units of '
         '--clip_norm; 0 for the least by which --steps keep to --epsilon.', **at_least(0))
  whole('multiplicity', 1, "Draws of the loss's noise an example, averaged under one clip.",
        **at_least(1))
  whole('microbatch', 0, 'Examples whose gradients are computed at once, with --epsilon; 0 for '
        'all.', **at_least(0))
  flags.DEFINE_list('private_players', [], 'Networks that learn privately; by default those whose '
                    'loss sees real examples.', flag_values=values)
  for name, fits, expected in (
      ('epsilon', lambda x: x is None or 0 < x < math.inf, 'more than 0, or no --epsilon at all to '
       'train without privacy'),
      ('delta', lambda x: 0 < x < 1, 'a probability in (0, 1)'),
      ('clip_norm', lambda x: 0 < x < math.inf, 'more than 0')):
    flags.register_validator(name, fits, f'expected {expected}', flag_values=values)
  flags.register_multi_flags_validator(
      ['epsilon', *BESIDE], lambda f: f['epsilon'] is not None or all(
          f[name] == x for name, x in BESIDE.items()),
      f'--{", --".join(BESIDE)} need --epsilon', flag_values=values)
  for name, fits, why in (
      ('accumulate', lambda x: x == 1, '--epsilon needs --accumulate=1: each part would have noise '
       'of its own; --microbatch saves memory'),
      ('parallel', lambda x: x != 'pmap', '--epsilon needs another --parallel than pmap, where '
       'each device would add noise of its own'),
      ('on_collapse', lambda x: x != 'rollback', '--epsilon needs another --on_collapse than '
       'rollback: steps taken again with other noise are in no budget')):
    flags.register_multi_flags_validator(
        ['epsilon', name], lambda f, name=name, fits=fits: f['epsilon'] is None or fits(f[name]),
        why, flag_values=values)


def applied(run: runs.Run, config: Mapping[str, Any], settings: runs.Settings,
            source: data.Source, folder: pathlib.Path | None = None) -> runs.Run:
  """The run as it is trained: privately with --epsilon, else as it was.

  Args:
    run: of a family.
    config: the flags.
    settings: of the run.
    source: what it learns from.
    folder: of the run, whose record has the noise if it goes on; `None` of a new one.

  Raises:
    runs.RunError: what cannot be trained privately, or not within the budget; it says why.
    ImportError: jax_privacy is not installed.
  """
  if config['epsilon'] is None:
    return run
  if run.release is not None:  # its own use of --epsilon, which pays for all steps
    if given := [name for name, usual in BESIDE.items() if config[name] != usual]:
      raise runs.RunError(f'--{", --".join(given)}: of models that see examples in every step; '
                          'this one learns from one release')
    return run
  if isinstance(source.size, int) and source.size >= data.batches.ENDLESS:
    raise runs.RunError(f'--epsilon: {source.name} has no end, so no example of it is anybody\'s')
  try:
    check_objective(run.objective, parallel.axis_name(settings.parallel))
    kind = kind_of(source)
    first = kind.in_model(source.take(np.arange(min(source.size, 2))))
    shapes = jax.eval_shape(lambda: jax.tree.map(jnp.zeros_like, dict(first)))
    check_variables(jax.eval_shape(run.objective.init, jax.random.key(0), shapes)[1])
    players = tuple(config['private_players']) or _seeing(run, shapes, source)
    cost = {'size': source.size, 'batch_size': settings.batch_size,
            'charges': _charges(run, players)}
    multiple = math.lcm(config['microbatch'] or 1, settings.devices)
    trial = Budget(config['epsilon'], config['delta'], noise_multiplier=1.,
                   rows=rows_for(settings.batch_size, source.size, multiple), **cost)
    plan = Plan(trial, players, config['clip_norm'], config['multiplicity'], config['microbatch'],
                (*LEFT_OUT, OF_VALUES) if kind.settings else LEFT_OUT)
    _trace(_with(run, plan), shapes, settings)
    return _with(run, plan._replace(budget=calibrated(
        config['epsilon'], config['delta'], steps=settings.steps, multiple=multiple,
        noise_multiplier=_recorded_noise(folder) or config['noise_multiplier'], **cost)))
  except ValueError as error:
    raise runs.RunError(f'--epsilon={config["epsilon"]:g}: {error}') from error


def _with(run: runs.Run, plan: Plan) -> runs.Run:
  return run._replace(privacy=plan, grad_fn=plan.grad_fn(run.objective, run.num_classes))


def _seeing(run: runs.Run, shapes: Mapping[str, Any], source: data.Source) -> tuple[str, ...]:
  """The players that see real examples."""
  players = tuple(sorted(seeing(run.objective, shapes)))
  if not players:
    raise ValueError(f'no loss of this model sees an example of {source.name} (it learns from '
                     'another model), so that there is nothing to hide here: train that one '
                     'privately')
  return players


def _charges(run: runs.Run, players: tuple[str, ...]) -> int:
  """How often a step uses real examples."""
  if unknown := sorted(set(players) - set(run.optimizers)):
    raise ValueError(f'--private_players={",".join(unknown)}: expected some of '
                     f'{", ".join(sorted(run.optimizers))}')
  return charges(run.schedule or (tuple(run.optimizers),), players)


def _recorded_noise(folder: pathlib.Path | None) -> float:
  """The noise of the run in a folder, which never changes; 0 where there is none."""
  if folder is None or not (folder / records.NAME).exists():
    return 0.
  return records.read_record(folder).get('privacy', {}).get('noise_multiplier', 0.)


def _trace(run: runs.Run, shapes: Mapping[str, Any], settings: runs.Settings) -> None:
  """Goes through a step without computing it, for what it refuses."""
  assert run.privacy is not None
  rows = run.privacy.budget.rows
  phases = () if run.phases == 1 else (run.phases,)
  batch = {name: jax.ShapeDtypeStruct((*phases, rows, *x.shape[1:]), x.dtype)
           for name, x in shapes.items()}
  batch[PADDING] = jax.ShapeDtypeStruct((*phases, rows), bool)
  algorithm = run.algorithm(parallel.axis_name(settings.parallel))
  key = jax.random.key(0)
  jax.eval_shape(algorithm.step, jax.eval_shape(algorithm.init, key, shapes), batch, key)
