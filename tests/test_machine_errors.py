"""What a machine lacks is found before work where it can be, and is one message."""
import errno
import pathlib
import types

from absl import flags
from common import errors, machine, program
import jax
import numpy as np
import pytest
from test_paths import flags_of
import training

from jaxsynth import files, tensorboard
from jaxsynth.quality import is_version
from jaxsynth.synthesis import exported


def test_without_a_home_folder_nothing_is_kept(monkeypatch, caplog):
  def nowhere():
    raise RuntimeError('Could not determine home directory.')
  monkeypatch.delenv('XDG_CACHE_HOME')
  monkeypatch.setattr(pathlib.Path, 'home', nowhere)
  machine.keep_compiled()
  assert 'compiled programs are not kept: Could not determine home' in caplog.text


@pytest.mark.parametrize('version', ['2024.11.05', '1.0', '1.0.0-a', '01.0.0', '１.0.0'])
def test_a_version_that_tfds_refuses_is_refused_first(version):
  assert not is_version(version) and is_version('2024.11.5')
  values = flags_of('synthesize')
  with pytest.raises(flags.Error, match='(?s)--version=.*without zeros in front, as 1.0.0 or'):
    values(['synthesize', '--run=x', '--out=y', f'--version={version}'])


@pytest.mark.parametrize('given', ['gpu', 'cpu,cpu', ''])
def test_a_platform_that_jax_cannot_name_is_refused_first(given):
  values = flags_of('export')
  with pytest.raises(flags.Error, match='(?s)--platforms=.*expected some of cpu, cuda, rocm, tpu'):
    values(['export', '--run=x', '--out=y', f'--platforms={given}'])
  with pytest.raises(ValueError, match='a gpu is cuda or rocm'):
    exported.exported(None, {}, {}, batch_size=1, conditional=False,
                      platforms=given.split(',') if given else ())


def test_a_full_disk_is_said_with_its_folder(monkeypatch):
  values = flags.FlagValues()
  flags.DEFINE_string('out', '/data', '', flag_values=values)
  monkeypatch.setattr(errors.flags, 'FLAGS', values)
  full = OSError(errno.ENOSPC, 'No space left on device')
  assert errors.message(full) == (
      '[Errno 28] No space left on device: --out=/data: the disk is full; make room there, or name '
      'a folder of another disk. What was finished stays')
  assert errors.message(OSError(errno.ENOENT, 'no', 'x')) == "[Errno 2] no: 'x'"


def test_a_run_without_room_for_a_checkpoint_does_not_begin(tmp_path, monkeypatch):
  monkeypatch.setattr(files.shutil, 'disk_usage', lambda _: types.SimpleNamespace(free=99))
  with pytest.raises(OSError, match='checkpoints: 0.0 MB are free there, and a checkpoint takes'):
    training.trained(tmp_path, '--steps=2')
  assert not (tmp_path / 'metrics.jsonl').exists()


def test_event_files_on_a_full_disk_are_an_error_and_no_endless_wait(tmp_path, monkeypatch):
  from tensorboardX import record_writer
  full = open('/dev/full', 'wb', buffering=0)
  monkeypatch.setattr(record_writer, 'open_file', lambda _: full)
  with full, pytest.raises(OSError, match='No space left'):
    board = tensorboard.TensorBoard(tmp_path)
    for step in range(20):
      board.image(step, 'samples', np.zeros((4, 4, 1), np.uint8))
      board.flush()


@pytest.mark.parametrize('error, message', [
    (jax.errors.JaxRuntimeError('RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes'),
     'not enough memory .*lower the batch size'),
    (MemoryError(), 'not enough memory .MemoryError.; lower the batch size'),
    (RuntimeError("Unable to initialize backend 'cuda': no"), 'there is no such device here'),
    (RuntimeError('something else'), None), (AssertionError(), None)])
def test_errors_of_the_machine_are_one_message(monkeypatch, error, message):
  def main():
    raise error
  monkeypatch.setattr(program.flags, 'FLAGS', {'verbosity': types.SimpleNamespace(present=1)})
  with pytest.raises(SystemExit if message else type(error), match=message):
    program._checked(main, False, ['x'])
