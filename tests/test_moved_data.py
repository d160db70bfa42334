"""Data are known by what they are, wherever they lie and however their path is spelled."""
import json

from common import experiments
import numpy as np
import pytest
from stages import plan, record as stage_records
import test_pipeline_stages as table
from test_pipeline_stages import options
import training

from jaxsynth import data, quality, runs
from jaxsynth.data import fingerprint
from jaxsynth.runs import record as records

FLAGS = ('--steps=2', '--generator_strides=1,1', '--discriminator_strides=2')


def saved(path, changed=None):
  """A file of images, with one of them changed or none."""
  images = np.random.default_rng(0).integers(0, 256, (200, 8, 8, 1), dtype=np.uint8)
  if changed is not None:
    images[changed] = 255 - images[changed]
  path.parent.mkdir(exist_ok=True)
  np.savez(path, images=images)
  return path


@pytest.mark.long
def test_a_run_goes_on_with_data_that_were_moved(tmp_path, monkeypatch):
  """It is trained from one folder, resumed from another and drawn from in a third."""
  before, after = saved(tmp_path / 'a/birds.npz'), tmp_path / 'b/renamed.npz'
  monkeypatch.chdir(before.parent)
  run = training.trained(tmp_path / 'run', *FLAGS, '--dataset=birds.npz')
  flags = json.loads((run / 'config.json').read_text())['flags']
  assert flags['dataset'] == str(before) and flags['data_dir'] is None
  monkeypatch.chdir(tmp_path)
  assert quality.read_real(experiments.load(run), validation_split=str(before)).train.size == 200
  first = experiments.load(run).provenance

  after.parent.mkdir()
  before.rename(after)
  training.trained(run, *FLAGS, '--steps=3', '--dataset=a/../b/renamed.npz')
  record = json.loads((run / 'config.json').read_text())
  assert record['flags']['dataset'] == str(tmp_path / 'a/../b/renamed.npz')
  assert record['data']['name'] == 'birds.npz'
  model = experiments.load(run)
  assert model.provenance['data'] == first['data'] and 'sha256' not in first['data']
  assert model.provenance['flags']['dataset'] == first['flags']['dataset'] == 'birds.npz'

  last = after.rename(tmp_path / 'last.npz')
  with pytest.raises(FileNotFoundError, match='(?s)no such file.*where it lies now, --dataset or'):
    quality.read_real(model, validation_split=str(last))
  real = quality.read_real(model, dataset=str(last), validation_split=str(last))
  assert real.train.size == 200
  other = saved(tmp_path / 'a/birds.npz', changed=1)
  with pytest.raises(ValueError, match='is not what the run was trained on; say where that lies'):
    quality.read_real(model, dataset=str(other), validation_split=str(last))


def described(path, **flags):
  spec = data.DatasetSpec(str(path))
  return records.record('mnist_dcgan', {**flags, **spec.places}, data.open_dataset(spec),
                        [training.jax.devices()[0]])


@pytest.mark.parametrize('changed', [0, 1])  # of 64 examples that are looked at, and not
def test_other_data_are_refused_wherever_they_lie(tmp_path, changed):
  same, moved = (described(saved(tmp_path / name), steps=2) for name in ('a/x.npz', 'b/y.npz'))
  records.check_same_run(same, moved, same['flags'])
  other = described(saved(tmp_path / 'c/x.npz', changed), steps=2)
  with pytest.raises(runs.RunError, match='(?s)--dataset: .*a/x.npz.*c/x.npz.*data sha256: '):
    records.check_same_run(same, other, same['flags'])
  del same['data']['sha256']  # as older records are
  records.check_same_run(same, moved, same['flags'])


def test_data_that_are_not_in_memory_are_known_too():
  decoded = data.DecodedSource.of('x', 9, None, lambda at: at, lambda i: (
      np.full((2, 2, 1), i, np.uint8), None))
  about = fingerprint.identity(decoded)
  assert set(about) == {'digest'} and fingerprint.is_known(decoded, about)
  assert fingerprint.is_known(data.in_memory(decoded), about)
  assert not fingerprint.is_known(decoded, {'digest': '0'})


def commands_of(place, seed=0):
  """Stage -> what it ran, of data in a folder."""
  o = options(data=data.DatasetSpec(f'{place}/birds.npz'), seed=seed, splits={
      'validation_split': f'{place}/a,b.npz', 'test_split': f'{place}/test'}, filters='density')
  of_data = table.collection()
  of_data['roles'] = {'train': None, 'validation': f'{place}/a,b.npz', 'test': f'{place}/test'}
  return {stage.name: {'commands': [list(args) for args in stage.commands], 'about': {},
                       'inputs': {}} for stage in [
                           plan.collect(o), *plan.after_collect(o, of_data, True)]}


def test_a_pipelines_stages_hold_when_its_data_were_moved():
  before, moved, other = commands_of('/a'), commands_of('../b'), commands_of('/a', seed=1)
  assert before != moved
  for name in set(before) - {'report'}:
    assert not stage_records.difference(before[name], moved[name]), name
    assert stage_records.goes_on(before[name], moved[name], ()), name
  assert '--seed=0 before, --seed=1 now' in stage_records.difference(
      before['train'], other['train'])
  assert '--dataset=/a/birds.npz' in before['filter']['commands'][0]
  assert '--against=/a/a,b.npz' not in before['analyse']['commands'][0]
  assert '--against="/a/a,b.npz",/a/test' in before['analyse']['commands'][0]
