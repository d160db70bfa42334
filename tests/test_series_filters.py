"""Filters, pseudo-labels and the gate judge series as they judge images."""
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth import data, quality, runs, train_step as ts
from jaxsynth.data import kinded
from jaxsynth.synthesis import filters
from jaxsynth.synthesis.filters import duplicates, train_copies
from jaxsynth.types import Objective
import optax

STEPS = 16


def waves(n, seed):
  """Two classes: one swing, or two; the larger of two channels says the same."""
  rng = np.random.default_rng(seed)
  labels = np.arange(n) % 2
  time = np.arange(STEPS) / STEPS * 2 * np.pi * (1 + labels[:, None])
  values = np.sin(time + .3 * rng.normal(size=(n, 1))) + .05 * rng.normal(size=(n, STEPS))
  return np.stack([values, 9 * values + 3], -1).astype(np.float32), labels


@pytest.fixture(scope='module')
def model(tmp_path_factory):
  """Of what it has learned from it gives copies, half of them under the wrong label."""
  folder = tmp_path_factory.mktemp('waves')
  for name, n, seed in (('train', 300, 0), ('held', 150, 1)):
    values, labels = waves(n, seed)
    np.savez(folder / f'{name}.npz', series=values, labels=labels)
  spec = data.DatasetSpec(str(folder / 'train.npz'))
  source = data.open_dataset(spec)
  fresh, labels = waves(4000, 2)
  fresh = np.asarray(source.kind.in_model({'series': fresh})['series'])
  copies = np.asarray(source.kind.in_model(source.take(np.arange(40)))['series'])
  bank = jnp.concatenate([jnp.asarray(fresh), jnp.asarray(copies)])
  kinds = jnp.concatenate([jnp.asarray(labels), jnp.arange(40) % 2])

  def sample(params, variables, keys, cond):
    at = jax.vmap(lambda key: jax.random.randint(key, (), 0, len(bank)))(keys)
    right = jnp.where(kinds[at] == cond, at, (at + jnp.where(at % 3 == 0, 0, 1)) % len(bank))
    return bank[right]
  objective = Objective(lambda key, batch: ({'x': {'w': jnp.zeros(1)}}, {'x': {}}), None, sample)
  run = runs.Run(objective, {'x': optax.sgd(1.)}, num_classes=2)
  state = ts.TrainState(jnp.int32(0), jnp.int32(0), {'x': {'w': jnp.zeros(1)}}, {'x': {}}, {}, {})
  trained = runs.Trained.of(run, state, source)
  return trained._replace(record={**trained.record, 'flags': {'dataset': spec.dataset}}), folder


@pytest.mark.long
def test_a_data_set_of_series_is_filtered_scored_and_judged(model, tmp_path):
  trained, folder = model
  selection = quality.Selection(('classifier', 'density', 'copies', 'duplicates'), keep=.9)
  real = quality.read_real(trained, selection, validation_split=str(folder / 'held.npz'))
  assert real.held_out.kind.settings == trained.kind.settings
  assert real.features.name.startswith('random_series')
  order = quality.Order.of(trained, tmp_path, {'train': 120}, name='waves_synth')
  quality.begin(order, trained, real, selection).write()
  measured = quality.measure(order, trained, real, selection,
                             quality.parse_requirements('recall>=.3,copies<=0'))
  passed = measured['kept']['of_candidates']
  assert .5 < passed['classifier'] < .95  # a third of those of the other class keep their label
  assert passed['copies'] < 1 and measured['scores']['copies'] == 0
  assert measured['quality'] == 'accepted' and measured['unfiltered']['copies'] > 0
  about = json.loads((order.folder / '.filters.json').read_text())
  assert about['copies']['unit'] == 'values in [-1, 1], Euclidean'
  kept = data.open_dataset(data.DatasetSpec(str(order.folder)))
  assert kept.kind.shape == (STEPS, 2) and kept.size == 120
  swings = np.abs(np.fft.rfft(kept.values[..., 0]))[:, 1:3].argmax(1)
  assert (swings == kept.labels).mean() > .98  # as it was asked for, which was not so before


@pytest.mark.long
def test_a_classifier_labels_series_that_were_asked_for_without(model, tmp_path):
  trained, folder = model
  run = trained.run._replace(num_classes=None, objective=trained.run.objective._replace(
      sample=lambda p, v, keys, cond: trained.run.sample(p, v, keys, jnp.zeros(len(keys), int))))
  plain = trained._replace(run=run)
  selection = quality.Selection(pseudo_labels=True)
  real = quality.read_real(plain, selection, validation_split=str(folder / 'held.npz'))
  order = quality.Order.of(plain, tmp_path, {'train': 60}, name='waves_named')
  quality.begin(order, plain, real, selection).write()
  counts = quality.measure(order, plain, real, selection)['pseudo_labels']
  assert counts['accuracy_on_validation'] > .95 and sum(counts['images']) == 60
  labelled = data.open_dataset(data.DatasetSpec(str(order.folder)))
  swings = np.abs(np.fft.rfft(labelled.values[..., 0]))[:, 1:3].argmax(1)
  assert (swings == labelled.labels).mean() > .95


def test_series_are_compared_in_the_units_of_the_model():
  values, _ = waves(20, 0)
  source = kinded.of_series(values)
  kind = source.kind
  rows = train_copies.all_small(values, kind.to_model)
  np.testing.assert_allclose(rows, kind.in_model({'series': values})['series'].reshape(20, -1),
                             atol=1e-6)
  candidates = filters.Candidates(jnp.asarray(values), None, None)
  assert not filters.kept(filters.copies(values, kind.to_model), candidates).any()
  moved = candidates._replace(images=candidates.images + .01)
  assert filters.kept(filters.copies(values, kind.to_model), moved).all()
  least = filters.duplicate_threshold(values, to_model=kind.to_model)
  apart = np.linalg.norm(rows[:, None] - rows[None], axis=-1)[~np.eye(20, dtype=bool)]
  np.testing.assert_allclose(least, apart.min(), rtol=1e-5)
  seen = duplicates.nothing_seen(4, kind.shape, kind.to_model, 'float32')
  assert seen.rows.shape[1] == 2 * STEPS
  long = jnp.zeros((2, 5000, 3))
  assert train_copies.small(long, lambda x: x).shape == (2, 1024 * 3)
