"""Checkpoints: whole, verified, on any number of devices."""
import json
import os
import types

import chex
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest

from jaxsynth import checkpoint, files, train_step as ts


def algorithm():
  adam = optax.inject_hyperparams(optax.adam)(1e-2)
  return ts.build(objectives.tiny_gan(), {'generator': adam, 'discriminator': adam},
                  ema=ts.EMA(('generator',)))


def started():
  return algorithm().init(jax.random.key(1), objectives.batch())


@pytest.fixture(scope='module')
def states():
  """The states after 0, 1, 2, 3 steps, on the host."""
  step, out = jax.jit(algorithm().step), [started()]
  for k in range(3):
    out.append(step(out[-1], objectives.batch(seed=k), jax.random.key(3))[0])
  return jax.device_get(out)


def saved(path, states, steps=(1, 2, 3), **kwargs):
  manager = checkpoint.CheckpointManager(path, **kwargs)
  for step in steps:
    manager.save(step, states[step])
  manager.close()


def restored(path):
  manager = checkpoint.CheckpointManager(path)
  state = manager.restore(started())
  left = manager.steps()
  manager.close()
  return state, left


def test_a_state_comes_back_bit_for_bit(tmp_path, states):
  saved(tmp_path, states)
  state, steps = restored(tmp_path)
  chex.assert_trees_all_equal(state, states[3])
  chex.assert_trees_all_equal_shapes_and_dtypes(state, states[3])
  assert steps == [2, 3]


def test_an_empty_folder_has_nothing(tmp_path):
  assert restored(tmp_path) == (None, [])


@pytest.mark.long
def test_a_state_of_four_devices_goes_on_on_one(tmp_path, states):
  step = ts.sharded(algorithm().step, jax.devices()[:4])
  state, _ = step(jax.tree.map(jnp.asarray, states[2]), objectives.batch(), jax.random.key(3))
  after = jax.block_until_ready(state)
  assert len(jax.tree.leaves(after)[0].devices()) == 4
  manager = checkpoint.CheckpointManager(tmp_path)
  manager.save(3, after)
  manager.close()
  back, _ = restored(tmp_path)
  chex.assert_trees_all_equal(back, jax.device_get(after))
  alone, _ = ts.jit(algorithm().step)(back, objectives.batch(), jax.random.key(3))
  spread, _ = step(jax.tree.map(jnp.asarray, back), objectives.batch(), jax.random.key(3))
  # Adam divides by sqrt(v): where a gradient is zero but for rounding, so do its signs
  chex.assert_trees_all_close(jax.device_get(alone.ema), jax.device_get(spread.ema), atol=2e-2)
  assert int(alone.step) == int(spread.step) == 4


def test_a_digest_does_not_depend_on_the_sharding(states):
  mesh = jax.sharding.Mesh(jax.devices(), ('x',))
  spread = jax.device_put(jnp.arange(8.), jax.sharding.NamedSharding(
      mesh, jax.sharding.PartitionSpec('x')))
  assert checkpoint.digests(spread) == checkpoint.digests(np.arange(8, dtype=np.float32))
  assert checkpoint.digests(spread) != checkpoint.digests(np.arange(8, dtype=np.int32))


def data_files(path, step, item='state'):
  files = [p for p in (path / str(step) / item).rglob('*') if p.is_file()]
  return sorted(files, key=lambda p: p.stat().st_size, reverse=True)


def flip(path):
  raw = bytearray(path.read_bytes())
  for i in range(len(raw) // 3, len(raw) // 3 + 16):
    raw[i] ^= 0xff
  path.write_bytes(raw)


def truncate(path):
  path.write_bytes(path.read_bytes()[:10])


@pytest.mark.parametrize('damage', [flip, truncate, lambda path: path.unlink()],
                         ids=['flip', 'truncate', 'unlink'])
def test_a_damaged_checkpoint_is_passed_over_loudly(tmp_path, states, caplog, damage):
  saved(tmp_path, states)
  for path in data_files(tmp_path, 3):
    if path.parent.name == 'd':
      damage(path)
  state, steps = restored(tmp_path)
  chex.assert_trees_all_equal(state, states[2])
  assert 'CHECKPOINT 3' in caplog.text and 'CANNOT BE USED' in caplog.text
  assert steps == [2]  # so that step 3 is saved anew


def change_digest(path):
  digest = json.loads((path / 'digest/metadata').read_text())
  digest['state']['.step'] = '0'
  (path / 'digest/metadata').write_text(json.dumps(digest))


@pytest.mark.parametrize('damage', [
    change_digest, lambda path: (path / 'state/_METADATA').unlink()], ids=['digest', 'unlink'])
def test_a_checkpoint_whose_files_were_not_noted_is_read_by_its_digest(
    tmp_path, states, caplog, damage):
  saved(tmp_path, states)
  for step in (2, 3):
    (tmp_path / f'{step}/{checkpoint.FILES}').unlink()
  damage(tmp_path / '3')
  state, steps = restored(tmp_path)
  chex.assert_trees_all_equal(state, states[2])
  assert steps == [2] and 'CHECKPOINT 3' in caplog.text


@pytest.mark.parametrize('damage', [
    change_digest, lambda path: (path / 'state/_METADATA').unlink()], ids=['digest', 'unlink'])
def test_what_cannot_be_read_back_replaces_nothing(tmp_path, states, damage):
  saved(tmp_path, states, steps=(0, 1))
  manager = checkpoint.CheckpointManager(tmp_path)
  manager.save(2, states[2])
  manager._manager.wait_until_finished()
  damage(tmp_path / '2')
  with pytest.raises(OSError, match='(?s)step 2 cannot be read back .*now damaged-2; is the disk'):
    manager.close()
  state, steps = restored(tmp_path)
  chex.assert_trees_all_equal(state, states[1])
  assert steps == [0, 1] and (tmp_path / 'damaged-2').is_dir()


def test_until_it_is_read_back_nothing_is_removed(tmp_path, states):
  manager = checkpoint.CheckpointManager(tmp_path)
  for step in (1, 2, 3):
    manager.save(step, states[step])
  manager._manager.wait_until_finished()
  assert manager.steps() == [1, 2, 3] and not (tmp_path / '3' / checkpoint.FILES).exists()
  manager.wait()
  assert manager.steps() == [2, 3] and (tmp_path / '3' / checkpoint.FILES).exists()
  manager.close()


@pytest.mark.parametrize('links', [False, True])
@pytest.mark.parametrize('name', ['[1]', 'a**b', 'gs:', 'a\\b', 'a b\n', os.fsdecode(b'\xff')],
                         ids=ascii)
def test_a_folder_may_have_any_name(tmp_path, states, monkeypatch, name, links):
  if links:  # as where there is no /proc
    monkeypatch.setattr(files, 'OPEN_FILES', tmp_path / 'nothing')
  folder = tmp_path / name / 'run'
  saved(folder, states, steps=(1, 2))
  assert sorted(path.name for path in folder.iterdir()) == ['1', '2']
  folder = folder.rename(tmp_path / name / 'moved')
  state, _ = restored(folder)
  chex.assert_trees_all_equal(state, states[2])
  params, _ = checkpoint.load_averaged(folder)
  chex.assert_trees_all_equal(params['generator'], ts.averaged(states[2])[0]['generator'])


def test_a_name_that_cannot_be_linked_to_is_refused(tmp_path, monkeypatch):
  monkeypatch.setattr(files, 'OPEN_FILES', tmp_path / 'nothing')
  monkeypatch.setattr(files.tempfile, 'tempdir', str(tmp_path))
  (tmp_path / '[1]').mkdir()
  monkeypatch.setattr(files.tempfile, 'tempdir', str(tmp_path / '[1]'))
  with pytest.raises(OSError, match='name a folder of letters, digits and _'):
    checkpoint.CheckpointManager(tmp_path / '[1]')


def test_a_disk_without_room_is_said_before_anything_is_written(tmp_path, states, monkeypatch):
  manager = checkpoint.CheckpointManager(tmp_path)
  monkeypatch.setattr(files.shutil, 'disk_usage', lambda _: types.SimpleNamespace(free=99))
  with pytest.raises(OSError, match='0.0 MB are free there, and a checkpoint takes 0.0 MB; make'):
    manager.save(1, states[1])
  assert not list(tmp_path.iterdir())
  manager.close()


def test_errors_of_writing_are_those_of_the_system(tmp_path, states, monkeypatch):
  folder = tmp_path / '[1]'
  manager = checkpoint.CheckpointManager(folder)

  def full(*_, **__):
    raise ValueError(f'RESOURCE_EXHAUSTED: {manager._name}/1: No space left on device')
  monkeypatch.setattr(manager._manager, 'save', full)
  with pytest.raises(OSError) as error:
    manager.save(1, states[1])
  assert str(error.value) == (
      f'{folder}: the checkpoint of step 1 cannot be written (RESOURCE_EXHAUSTED: {folder}/1: No '
      'space left on device); has its disk room?')
  manager.close()


def test_a_step_may_be_damaged_twice(tmp_path, states):
  for _ in range(2):
    saved(tmp_path, states)
    for path in data_files(tmp_path, 3):
      flip(path)
    state, steps = restored(tmp_path)
    chex.assert_trees_all_equal(state, states[2])
    assert steps == [2] and (tmp_path / 'damaged-3').is_dir()


@pytest.mark.parametrize('item', ['digest', 'generator'])
def test_a_torn_generator_falls_back_too(tmp_path, states, item):
  saved(tmp_path, states)
  for path in (tmp_path / '3' / item).rglob('*'):
    if path.is_file():
      truncate(path)
  params, _ = checkpoint.load_averaged(tmp_path)
  chex.assert_trees_all_equal(params['generator'], ts.averaged(states[2])[0]['generator'])


def test_when_none_is_whole_it_raises(tmp_path, states):
  saved(tmp_path, states, steps=(1,))
  flip(data_files(tmp_path, 1)[0])
  with pytest.raises(checkpoint.CheckpointError, match=r'none of the checkpoints \[1\]'):
    restored(tmp_path)


def test_the_best_is_kept_beside_the_newest(tmp_path, states):
  manager = checkpoint.CheckpointManager(tmp_path, best='frechet')
  for step, score in ((0, 5.), (1, 1.), (2, 3.)):
    manager.save(step, states[step], {'frechet': score})
  manager.close()
  manager = checkpoint.CheckpointManager(tmp_path, best='frechet')  # another process
  manager.save(3, states[3], {'frechet': 4.})
  manager.wait()
  assert manager.steps() == [1, 2, 3] and manager.best_step() == 1
  with pytest.raises(ValueError, match="expected 'frechet' among them"):
    manager.save(4, states[3], {'kernel': 1.})
  manager.close()


def test_the_generator_loads_alone(tmp_path, states):
  saved(tmp_path, states)
  params, variables = checkpoint.load_averaged(tmp_path)
  want = ts.averaged(states[3])
  assert set(params) == {'generator'}
  chex.assert_trees_all_equal(params['generator'], want[0]['generator'])
  images = algorithm().sample(params, variables, jax.random.split(jax.random.key(0), 4), None)
  assert images.shape == (4, 4, 4, 1)
  with pytest.raises(FileNotFoundError, match=r'no checkpoint 9, only \[2, 3\]'):
    checkpoint.load_averaged(tmp_path, 9)
  with pytest.raises(FileNotFoundError, match='no such folder'):
    checkpoint.load_averaged(tmp_path / 'nothing')


def test_a_run_too_few_to_fall_back_on_is_refused(tmp_path):
  with pytest.raises(ValueError, match='keep=1: expected at least 2'):
    checkpoint.CheckpointManager(tmp_path, keep=1)
