"""One run of several processes: the numbers of one, whichever of them is killed or asked to end."""
import json
import pathlib
import shutil
import sys
import types

from absl import flags
from common import machine, processes
import jax
import launcher
import numpy as np
import pytest
import training

from jaxsynth import checkpoint, parallel

pytestmark = pytest.mark.long

ROOT = pathlib.Path(__file__).parent.parent
GIVEN = ('--batch_size=8', '--generator_width=4', '--discriminator_width=4', '--latent_dim=3',
         '--dropout=0', '--steps=6', '--checkpoint_every=3', '--sample_every=3', '--log_every=1',
         '--eval_every=3', '--eval_samples=200', '--num_synthetic=40', '--notensorboard')
MANY = ('--parallel=sharded', '--devices=2')
FILES = ('metrics.jsonl', 'scores.jsonl', 'synthetic.npz', 'samples/step_000006.png',
         'config.json', 'checkpoints/6/digest/metadata')
TRAIN = [sys.executable, 'experiments/mnist_dcgan.py']


def killed(place, step):
  return [sys.executable, 'tests/killed.py', place, str(step), 'mnist_dcgan']


def both(folder, *commands, given=MANY, ends=None):
  """Runs the processes of a job in a folder."""
  return launcher.by_flags([[*command, *GIVEN, *given, f'--workdir={folder}']
                            for command in commands], ROOT, ends)


def contents(folder):
  return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  """A run of two processes that nothing disturbed."""
  folder = tmp_path_factory.mktemp('whole') / 'run'
  for code, text in both(folder, TRAIN, TRAIN):
    assert code == 0, text
  return folder


def test_two_processes_get_the_numbers_of_one(whole, tmp_path):
  alone = training.trained(tmp_path / 'alone', *GIVEN, tiny=False)
  rows = [[json.loads(line) for line in (folder / 'metrics.jsonl').read_text().splitlines()]
          for folder in (whole, alone)]
  assert len(rows[0]) == 6
  for row, expected in zip(*rows, strict=True):
    for name, value in expected.items():
      np.testing.assert_allclose(row[name], value, rtol=1e-5, atol=1e-5, err_msg=name)
  images = [np.load(folder / 'synthetic.npz')['images'].astype(int) for folder in (whole, alone)]
  assert abs(images[0] - images[1]).max() <= 1
  assert not list(whole.glob('.*.aside')) and not list(whole.glob('.processes*'))


@pytest.mark.parametrize('given', [(), ('--parallel=sharded', '--devices=4')])
def test_one_process_goes_on_with_a_run_of_two(whole, tmp_path, given):
  folder = shutil.copytree(whole, tmp_path / 'run')
  training.trained(folder, *GIVEN, *given, '--steps=7', tiny=False)
  rows = (folder / 'metrics.jsonl').read_text().splitlines()
  assert rows[:6] == (whole / 'metrics.jsonl').read_text().splitlines()
  assert [json.loads(row)['step'] for row in rows] == [*range(1, 8)]
  assert checkpoint.CheckpointManager(folder / 'checkpoints').steps() == [3, 6, 7]


def test_a_signal_and_a_kill_leave_the_bits_of_a_run_that_nothing_disturbed(whole, tmp_path):
  """SIGTERM to one process is a checkpoint of all; SIGKILL of the first is the end of all."""
  for code, text in both(tmp_path / 'run', TRAIN, killed('asked', 1)):
    assert code == 75 and 'which has a checkpoint; the same command goes on' in text, text
  assert max(int(p.name) for p in (tmp_path / 'run/checkpoints').iterdir()) < 6
  loses(tmp_path / 'run', 0)
  ended(tmp_path / 'run', whole)


@pytest.mark.slow  # other ways to lose a process
@pytest.mark.parametrize('victim, how', [(1, 'stepping'), (1, 'failing'), (0, 'failing')])
def test_who_loses_a_process_ends_and_the_run_goes_on(whole, tmp_path, victim, how):
  loses(tmp_path / 'run', victim, how)
  ended(tmp_path / 'run', whole)


def loses(folder, victim, how='stepping'):
  """Holds that the other process ends with a message, within a minute, when one does at step 5."""
  commands = [TRAIN, TRAIN]
  commands[victim] = killed(how, 5)
  both_ended, seconds = timed(folder, commands)
  code, text = both_ended[victim]
  assert code == -9 if how == 'stepping' else code == 1 and 'a disk is full' in text, text
  code, text = both_ended[1 - victim]
  assert code not in (0, 75), text
  assert 'another process of this job ended' in text or 'another task died' in text, text
  assert seconds < 60
  steps = {path.name for path in (folder / 'checkpoints').iterdir()}
  assert '3' in steps and not any(step.startswith('damaged') for step in steps)


def timed(folder, commands):
  """As `both`, and how long one process lived after the other."""
  ends = []
  return both(folder, *commands, ends=ends), max(ends) - min(ends)


def ended(folder, whole):
  for code, text in both(folder, TRAIN, TRAIN):
    assert code == 0, text
  assert contents(folder) == contents(whole)


@pytest.mark.parametrize('other, message', [
    ('--seed=3', '  --seed: 0 in process 0, 3 in process 1'),
    ('--devices=4', '  --devices: 2 in process 0, 4 in process 1')])
def test_processes_that_differ_are_refused_by_all(tmp_path, other, message):
  for code, text in launcher.by_flags([
      [*TRAIN, *GIVEN, *MANY, f'--workdir={tmp_path}/run', *more] for more in ((), (other,))],
      ROOT):
    assert code == 1 and text.splitlines()[-1] == message, text
  assert not (tmp_path / 'run').exists()


def test_a_folder_that_one_process_does_not_have_is_refused_by_all(tmp_path):
  """As of a host that has not mounted it: its checkpoints would go nowhere."""
  commands = [[*TRAIN, *GIVEN, *MANY, f'--workdir={tmp_path}/{k}'] for k in (0, 1)]
  for code, text in launcher.by_flags(commands, ROOT):
    assert code == 1 and 'process 1 of 2 does not see what process 0 wrote there' in text, text
  assert not list(tmp_path.glob('0/.processes*'))


def test_every_way_to_share_devices_of_two_processes(tmp_path):
  """The numbers of one device, and checkpoints of one digest that any devices restore."""
  address = f'127.0.0.1:{launcher.free_port()}'
  for code, text in launcher.at_once([
      [sys.executable, 'tests/two_processes.py', str(tmp_path), address, str(k)] for k in (0, 1)],
      ROOT, [{'PYTHONPATH': str(ROOT)}] * 2):
    assert code == 0, text
  numbers = json.loads((tmp_path / 'numbers.json').read_text())
  assert numbers.keys() == {'alone', *parallel.MANY}
  for how in parallel.MANY:
    for name, value in numbers['alone'].items():
      np.testing.assert_allclose(numbers[how][name], value, rtol=1e-5, atol=1e-5, err_msg=name)
  states = [checkpoint.load_averaged(tmp_path / how)[0] for how in parallel.MANY]
  mesh = jax.sharding.Mesh(jax.devices()[:4], ('batch',))
  spread = jax.device_put(states[0], jax.sharding.NamedSharding(
      mesh, jax.sharding.PartitionSpec()))
  assert checkpoint.digests(spread) == checkpoint.digests(states[0])
  for other in states[1:]:
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5),
                 other, states[0])


def test_a_coordinator_that_does_not_answer_is_named(tmp_path):
  (code, text), = launcher.at_once([[
      *TRAIN, *GIVEN, *MANY, f'--workdir={tmp_path}/run', '--start_timeout=3',
      f'--coordinator_address=127.0.0.1:{launcher.free_port()}', '--num_processes=2',
      '--process_id=1']], ROOT, [{}])
  assert code == 1
  assert text.splitlines()[-1].startswith('mnist_dcgan.py: process 1 of 2, coordinator 127.0.0.1:')
  assert 'after --start_timeout=3 s not all processes have come' in text
  assert not (tmp_path / 'run').exists()


def job(*given):
  values = flags.FlagValues()
  processes.define(values)
  values(['program', *given])
  return processes.given(values)


@pytest.mark.parametrize('given, message', [
    (['--num_processes=2'], r'need --coordinator_address \(or \$JAX_COORDINATOR_ADDRESS\) and '),
    (['--coordinator_address=x', '--num_processes=2', '--process_id=0'], 'expected HOST:PORT'),
    (['--coordinator_address=x:0', '--num_processes=2', '--process_id=0'], 'expected HOST:PORT'),
    (['--coordinator_address=x:9', '--num_processes=2', '--process_id=2'], 'expected a process_id'),
    (['--distributed', '--num_processes=2', '--process_id=2'], 'expected a process_id')])
def test_processes_that_make_no_job_are_refused(given, message):
  with pytest.raises(ValueError, match=message):
    job(*given)


def test_a_job_is_known_by_flags_or_by_the_environment(monkeypatch):
  assert job() is None
  assert job('--distributed') == (None, None, None)
  assert job('--distributed', '--num_processes=2') == (None, 2, None)
  monkeypatch.setenv('JAX_COORDINATOR_ADDRESS', '[::1]:99')
  monkeypatch.setenv('JAX_NUM_PROCESSES', '4')
  monkeypatch.setenv('JAX_PROCESS_ID', '3')
  assert job() == ('[::1]:99', 4, 3) and job('--process_id=0') == ('[::1]:99', 4, 0)


@pytest.mark.parametrize('n, how, message', [
    (2, 'jit', '--parallel=jit trains on a device of one process, and there are 2'),
    (3, 'sharded', '--devices=3 in 2 processes: expected a multiple of 2, as each takes as many'),
    (6, 'sharded', '--devices=6, but there are 2 in process 1, which is to have 3')])
def test_devices_that_processes_cannot_share_are_refused(monkeypatch, n, how, message):
  devices = [types.SimpleNamespace(process_index=k % 2, id=k) for k in range(5)]
  monkeypatch.setattr(machine.jax, 'devices', lambda: devices)
  monkeypatch.setattr(machine.jax, 'process_count', lambda: 2)
  monkeypatch.setattr(machine.jax.config, 'update', lambda *_: None)
  job_ = processes.Given('x:9', 2, 0)
  with pytest.raises(ValueError, match=message):
    machine.take_devices(n, how, job_)
  taken = machine.take_devices(4, 'sharded', job_)
  assert [(d.process_index, d.id) for d in taken] == [(0, 0), (0, 2), (1, 1), (1, 3)]
