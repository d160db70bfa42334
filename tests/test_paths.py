"""`~` is the home folder in every flag that may be a path, of every program."""
import importlib
import os
import pathlib

from absl import flags
from common import experiments, paths
import pytest
import training

ROOT = pathlib.Path(__file__).parent.parent
PROGRAMS = sorted(path.stem for path in (ROOT / 'experiments').glob('*.py'))
# flags of text that are no path
WORDS = {'name', 'version', 'labels', 'worker', 'citation', 'require', 'image_key', 'label_key',
         'step', 'experiment', 'coordinator_address', 'column', 'time_column', 'array',
         'label_column'}


def flags_of(name):
  module = (experiments.program(name) if name in experiments.names() else
            importlib.import_module(name))
  values = flags.FlagValues()
  (module.pipeline_options.define if name == 'pipeline' else module.define_flags)(values)
  return values


@pytest.mark.parametrize('name', PROGRAMS)
def test_every_flag_that_may_be_a_path_knows_home(name, monkeypatch, tmp_path):
  monkeypatch.setenv('HOME', str(tmp_path))
  values = flags_of(name)
  texts = [flag for flag in values if values[flag].flag_type() == 'string'] + [
      flag for flag in ('against',) if flag in values]
  assert set(texts) - WORDS
  for flag in set(texts) - WORDS:
    values[flag].parse('~/x')
    assert values[flag].value in (f'{tmp_path}/x', [f'{tmp_path}/x']), flag
  for flag in WORDS & set(texts) - {'name', 'version', 'step', 'experiment'}:
    values[flag].parse('~/x')
    assert values[flag].value == '~/x'


def test_in_flagfiles_too(monkeypatch, tmp_path):
  monkeypatch.setenv('HOME', str(tmp_path))
  (tmp_path / 'a.flags').write_text('--dataset=~/birds.npz\n--data_dir=~\n')
  config = training.config_of('--flagfile=~/a.flags', '--eval_split=~/held')
  assert [config[x] for x in ('dataset', 'data_dir', 'eval_split')] == [
      f'{tmp_path}/birds.npz', str(tmp_path), f'{tmp_path}/held']


@pytest.mark.parametrize('path, message', [
    ('~nobody-at-all/x', 'there is no home folder ~nobody-at-all; write the path out'),
    (os.fsdecode(b'/a\xff'), r"'/a\udcff' is not UTF-8, and records and pages are; rename it")])
def test_what_cannot_be_a_path_is_refused_by_its_flag(path, message):
  for flag in ('workdir', 'dataset'):
    with pytest.raises(flags.Error) as error:
      training.config_of(f'--{flag}={path}')
    assert f'flag --{flag}=' in str(error.value) and message in str(error.value)


def test_names_that_are_no_paths_stay_as_they_are():
  for name in ('', 'mnist5k', 'train[:9]', './~', 'a~b', 'a,b'):
    assert paths.expanded(name) == name
  values = flags.FlagValues()
  paths.define_list('against', None, '', values)
  values(['x', '--against="a,b",test'])
  assert values['against'].value == ['a,b', 'test']
  assert values['against'].serialize() == '--against="a,b",test'
