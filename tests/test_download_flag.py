"""Programs download what they are asked to, and nothing else."""
import os
import pathlib
import subprocess
import sys

from absl import flags
from common import comparison_flags, download_flag, experiments
from loopback import NOBODY
import pytest

from jaxsynth import data

ROOT = pathlib.Path(__file__).parent.parent


def test_a_program_downloads_only_if_it_is_asked_to(tmp_path):
  """Offline it says at once what to do."""
  nothing = {'http_proxy': NOBODY, 'https_proxy': NOBODY, 'no_proxy': ''}
  done = subprocess.run(
      [sys.executable, ROOT / 'experiments/collect.py', '--dataset=mnist', '--download',
       f'--data_dir={tmp_path}/data', f'--report={tmp_path}/report'], check=False, text=True,
      capture_output=True, env={**os.environ, **nothing})
  assert done.returncode == 1 and 'Traceback' not in done.stderr
  assert 'refused, through the proxy' in done.stderr and 'or take mnist5k' in done.stderr
  assert not (tmp_path / 'report').exists()


@pytest.mark.parametrize('args, asked', [
    (['--dataset=mnist'], []), (['--dataset=mnist', '--download'], ['mnist']),
    (['--dataset=mnist5k', '--download'], []), (['--dataset=a.npz', '--download'], []),
    (['--dataset=.', '--download'], []),
    (['--real=kmnist', '--synthetic=x', '--report=x', '--download'], ['kmnist'])])
def test_only_a_tfds_data_set_is_downloaded(args, asked, monkeypatch):
  values, names = flags.FlagValues(), []
  program = comparison_flags if '--report=x' in args else experiments.program('mnist_dcgan')
  (program.define if '--report=x' in args else program.define_flags)(values)
  values(['x', '--data_dir=/nowhere', *([] if '--report=x' in args else ['--workdir=x']), *args])
  monkeypatch.setattr(data, 'download_dataset', lambda name, data_dir: names.append(name))
  download_flag.prepare(values)
  assert names == asked


def test_a_configuration_is_not_taken_for_a_folder():
  values = flags.FlagValues()
  experiments.program('mnist_dcgan').define_flags(values)
  values(['x', '--workdir=x', '--dataset=emnist/letters', '--download'])
  with pytest.raises(ValueError, match='emnist/letters reads as a folder.*download_dataset'):
    download_flag.prepare(values)


@pytest.mark.parametrize('name', experiments.names())
def test_a_run_does_not_record_where_its_data_came_from(name):
  values = flags.FlagValues()
  define_flags = experiments.program(name).define_flags
  define_flags(values)
  values(['x', '--workdir=x', '--download'])
  assert 'download' not in experiments.recorded(define_flags, values)
