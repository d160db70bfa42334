"""Attacks of who has the model of a run: on its losses, and on canaries that were planted."""
from typing import Any

import jax
import numpy as np

from jaxsynth.data import canaries, classes
from jaxsynth.data.examples import Examples, random_positions
from jaxsynth.ema import averaged
from jaxsynth.evaluation.audit import Attack, Candidates
from jaxsynth.privacy.attacks import loss_scores
from jaxsynth.privacy.membership import membership
from jaxsynth.privacy.one_run import lower_bound
from jaxsynth.runs.loading import load_state, Trained
from jaxsynth.types import TrainState

MOST = 1000  # examples of a set whose losses are taken
DELTA = 1e-5  # of the bound, where nothing was promised
DRAWS = 8  # of noise, for an example


def loss_attacks(model: Trained, asked: Candidates, class_names: list[str], seed: int = 0
                 ) -> list[Attack]:
  """A threshold on the losses of a run's model, an attack a player.

  Args:
    model: whose newest checkpoint has its whole state.
    asked: about whom, labels as positions in `class_names`.
    class_names: of the candidates' labels.
    seed: of the noise.

  Raises:
    ValueError: a conditional model and candidates without labels, or of classes that it does not
      know; a checkpoint that was cut down to what sampling needs; a network that cannot judge one
      example by itself.
  """
  state = load_state(model)
  sets = [_few(x) for x in asked[:3]]
  inside, outside, beside = (scores_of(model, state, _batch(model, x, class_names), seed)
                             for x in sets)
  return [Attack(f'loss of the {player}', 'the model', membership(inside[player], outside[player]),
                 membership(beside[player], outside[player]))
          for player in inside if player in outside and player in beside]


def canary_attacks(model: Trained, planted: canaries.Canaries, delta: float = DELTA,
                   seed: int = 0) -> list[Attack]:
  """A threshold on the losses of canaries, and the least epsilon that goes with it.

  Args:
    model: as `loss_attacks`.
    planted: the canaries of its run.
    delta: that of what was promised.
    seed: of the noise.

  Raises:
    ValueError: as `loss_attacks`; or all canaries are in, or all are out.
    ImportError: the extra `privacy` is not installed.
  """
  labels = {} if planted.labels is None else {'label': planted.labels}
  batch = model.kind.in_model({model.kind.name: planted.values, **labels})
  scores = scores_of(model, load_state(model), batch, seed)
  attacks = []
  for player, x in scores.items():
    both = x[planted.included], x[~planted.included]
    attacks.append(Attack(f'loss of the {player} on canaries', 'canaries', membership(*both),
                          bounds=tuple(lower_bound(*both, delta=delta, gaussian=gaussian)
                                       for gaussian in (False, True))))
  return attacks


def scores_of(model: Trained, state: TrainState, batch: Any, seed: int
              ) -> dict[str, np.ndarray]:
  """Scores `[N]` by player, of the averaged model where there is one."""
  params, variables = averaged(state)
  return loss_scores(model.run.objective, params, variables, batch, jax.random.key(seed),
                     step=int(state.step), draws=DRAWS, copies=model.run.packing)


def _few(examples: Examples) -> Examples:
  return examples.take(random_positions(len(examples.values), MOST))


def _batch(model: Trained, examples: Examples, class_names: list[str]) -> Any:
  arrays = {model.kind.name: examples.values}
  if model.run.num_classes is not None:
    if examples.labels is None:
      raise ValueError(f'the model is given labels, and {examples.name} has none')
    known = model.class_names or ()
    missing = [name for name, at in zip(class_names, classes.places(class_names, known))
               if at is None]
    if missing:
      raise ValueError(f'the model does not know the class {missing[0]}')
    arrays['label'] = classes.moved(examples.labels, class_names, known)
  return model.kind.in_model(arrays)
