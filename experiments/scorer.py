"""Cheap scores of the averaged generator, as training goes."""
from collections.abc import Mapping
import json
import pathlib
from typing import Any

import jax

import evaluate_sets
from extractors import extract, extractor
from jaxsynth import data, train_step as ts
from jaxsynth.metrics import features, frechet, moments, prdc
from jaxsynth.metrics.protocol import Protocol, check_same
import outputs
import sets

NAME = 'scores.jsonl'
BEST = 'frechet'  # the least of it is the best checkpoint
K = 5


class Scorer:
  """Frechet distance, precision, recall, density and coverage on `--eval_samples` samples.

  The samples are the same latents every time, of a key of their own. A line of
  scores.jsonl holds nothing of the clock; it is on disk before the checkpoint is saved.

  Args:
    folder: of the run.
    config: the run's flags.
    source: what is trained on; as many of it stand in for samples in the floor.
    artist: draws.

  Raises:
    ValueError, OSError: no such split, too few images for the features, or lines that
      were measured otherwise.
  """

  def __init__(self, folder: pathlib.Path, config: Mapping[str, Any], source: data.Source,
               artist: outputs.Artist):
    self._path, self._artist, self._n = folder / NAME, artist, config['eval_samples']
    # beside the three keys that the seed is split into
    self._key = jax.random.fold_in(jax.random.key(config['seed']), 3)
    split = config['eval_split'] or evaluate_sets.splits_for(config)[2]
    if split is None:
      raise ValueError(f"--eval_every: {config['dataset']} has no validation split that is "
                       'known; name one, a folder or an .npz file by --eval_split')
    held, _ = evaluate_sets.real_split(config, split)
    self._net = extractor('auto', held.images.shape[1:],
                          sets.are_digits(config['dataset']))
    self._real = extract(self._net, held.images)
    self._moments = moments.of(self._real)
    at = sets.some(source.size, self._n, config['seed'])
    known = extract(self._net, source.take(at)['image'])
    self._floor = frechet.frechet_distance(self._moments, moments.of(known))
    self._card = Protocol.of(
        features.score_name('frechet', self._net), self._net, n_real=len(self._real),
        n_fake=self._n, split=held.name, settings={'k': K, 'n_floor': len(known)})
    for row in evaluate_sets.scores_of(folder):
      check_same(Protocol(**row['protocol']), self._card)

  def __call__(self, step: int, state: ts.TrainState) -> dict[str, float]:
    """Scores a state, writes the line and returns it."""
    fake = extract(self._net, self._artist.draw(state, self._key, self._n))
    found = {'frechet': frechet.frechet_distance(self._moments, moments.of(fake)),
             **prdc.prdc(self._real, fake, K)._asdict()}
    row = {'step': step, **found, 'frechet_floor': self._floor,
           'protocol': self._card._asdict()}
    with open(self._path, 'a', encoding='utf-8') as f:
      f.write(json.dumps(row) + '\n')
    self._artist.scalars(step, {f'scores/{name}': x for name, x in found.items()})
    return found
