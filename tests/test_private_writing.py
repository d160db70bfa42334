"""What a private run promises goes where its examples and its network go; and it takes devices."""
import json

import chex
from common import experiments
import export
import jax
import pytest
import tiny
import training

from jaxsynth.privacy import ledger

PRIVATE = ('--conditional', '--generator_norm=group', '--epsilon=8', '--delta=1e-6',
           '--noise_multiplier=1', '--microbatch=0', '--log_every=1')


def trained(folder, *given):
  folder.mkdir(parents=True)
  (folder / ledger.SECRET).write_text('7\n')
  return training.trained(folder, *PRIVATE, '--steps=2', *given)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  return trained(tmp_path_factory.mktemp('private') / 'run')


@pytest.mark.long
def test_a_data_set_says_what_its_model_promises(run, tmp_path):
  assert tiny.synthesized(run, tmp_path, '--num=40', '--name=digits') == 0
  kept = json.loads((tmp_path / 'digits/1.0.0/metadata.json').read_text())
  promise = experiments.load(run).privacy
  assert kept['privacy']['epsilon'] == promise.epsilon
  assert kept['privacy']['relation'] == 'add_or_remove_one'
  assert set(promise.left_out) <= set(kept['privacy']['left_out'])
  info = json.loads((tmp_path / 'digits/1.0.0/dataset_info.json').read_text())
  assert promise.sentence() in info['description']


@pytest.mark.long
def test_an_exported_sampler_says_it_too(run, tmp_path):
  assert tiny.called(export, run, f'--out={tmp_path}', '--batch_size=2', '--platforms=cpu') == 0
  kept = json.loads((tmp_path / 'config.json').read_text())
  assert kept['privacy'] == experiments.load(run).privacy.to_json()


def state_of(folder):
  model = experiments.load(folder)
  return model.params, (folder / 'metrics.jsonl').read_text().splitlines()


@pytest.mark.long
@pytest.mark.parametrize('given', [
    ('--steps_per_call=2', '--log_every=2'), ('--parallel=sharded', '--devices=2'),
    ('--parallel=fsdp', '--devices=2')])
def test_calls_of_several_steps_and_devices_that_share_are_the_same_step(run, given, tmp_path):
  params, rows = state_of(run)
  others, other_rows = state_of(trained(tmp_path / 'run', *given))
  chex.assert_trees_all_close(jax.device_get(params), jax.device_get(others), atol=2e-5, rtol=1e-3)
  spent = lambda lines: json.loads(lines[-1])['privacy/epsilon']
  assert abs(spent(rows) / spent(other_rows) - 1) < 1e-3  # by how many rows a batch has at most


@pytest.mark.long
def test_the_critic_adapts_in_a_private_run(tmp_path):
  folder = trained(tmp_path / 'run', '--adaptive_critic=.6', '--critic_grace=1')
  last = json.loads((folder / 'metrics.jsonl').read_text().splitlines()[-1])
  assert last['critic/steps'] in (1, 2) and 0 <= last['critic/accuracy'] <= 1
  assert experiments.load(folder).privacy.steps == 2  # a charge a step, however the critic fares
