"""The table and the picture of the engines, at toy size: trained, drawn, scored, taken up again."""
import contextlib
import json
import pathlib
import re
import signal
import sys

from common import experiments
import evaluate
import jax
import numpy as np
from PIL import Image
import programs
import pytest
from stages import run as runner
import training

from jaxsynth import downstream
from jaxsynth.data.examples import read_split
from jaxsynth.data.spec import DatasetSpec

ROOT = pathlib.Path(__file__).parent.parent
BENCHMARKS = ROOT / 'experiments/benchmarks'
sys.path.insert(0, str(BENCHMARKS))
import engine_parameters
import engine_rate
import engine_stage
import engine_table
import peak
import stored_stage
from engine_list import Engine

pytestmark = pytest.mark.long


engines = programs.module_of(BENCHMARKS / 'engines.py')
figure = programs.module_of(ROOT / 'experiments/figures/engines.py')

SMALL = ('--network=mlp', '--hidden=8', '--latent_dim=3', '--batch_size=8', '--schedule=cosine')
GIVEN_LABEL = (*SMALL, '--conditional')
TINY = (
    Engine('plain', 'plain VAE', 'mnist_vae', '', SMALL),
    Engine('vae', 'VAE', 'mnist_vae', '', GIVEN_LABEL),
    Engine('warm', 'VAE, 2', 'mnist_vae', '', GIVEN_LABEL, ('--temperature=2',), 'vae'))
STEPS = 51
GIVEN = ('--dataset=mnist5k', '--num=200', '--minutes=.0001', '--calibration=0',
         '--classifier_steps=5', '--classifier_seeds=2')


class InProcess:
  """Runs the commands of stages in this process, and remembers them; `stops` kills one."""

  def __init__(self):
    self.commands, self.stops = [], None

  def __call__(self, command, log):
    _, _, peak_file, script, *args = command
    self.commands.append(' '.join(command))
    pathlib.Path(log).touch()
    if self.stops and self.stops in self.commands[-1]:
      return -signal.SIGKILL
    with open(log, 'a') as f, contextlib.redirect_stdout(f), contextlib.redirect_stderr(f):
      name = pathlib.Path(script).stem
      if name in experiments.names():
        folder, = [arg.partition('=')[2] for arg in args if arg.startswith('--workdir=')]
        training.trained(pathlib.Path(folder), *args, name=name, tiny=False,
                         fresh='--fresh' in args)
      else:
        programs.call(engine_stage, *args)
    pathlib.Path(peak_file).write_text(f'{peak.mebibytes()}\n')
    return 0


@pytest.fixture(scope='module')
def tiny():
  """The tool with small engines, in this process."""
  process = InProcess()
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(stored_stage, 'call', process)
    patch.setattr(engines, 'ENGINES', TINY)
    patch.setattr(engine_rate, 'FIRST', STEPS)
    yield process


def stopped(*given):
  with pytest.raises(SystemExit) as end:
    programs.call(engines, *GIVEN, *given)
  return str(end.value)


def records(out):
  """What stages have left, but for what runs themselves leave."""
  return sorted(str(path.relative_to(out)) for path in out.rglob('*.json')
                if not {'run', 'short'} & set(path.parts))


@pytest.fixture(scope='module')
def whole(tiny, tmp_path_factory):
  """Two engines; killed as it draws from the second, and taken up again."""
  out = tmp_path_factory.mktemp('engines') / 'out'
  given = (f'--out={out}', '--only=plain,vae')
  tiny.stops = '--stage=draw --run=' + str(out / 'vae/run')
  said = stopped(*given)
  before, after = json.loads((out / 'engines.json').read_text()), records(out)
  tiny.stops = None
  programs.call(engines, *GIVEN, *given)
  return {'out': out, 'said': said, 'before': before, 'after': after, 'given': given,
          'commands': list(tiny.commands),
          'document': json.loads((out / 'engines.json').read_text())}


def test_every_engine_is_trained_drawn_from_and_scored(whole):
  rows = whole['document']['engines']
  assert [row['name'] for row in rows] == ['plain', 'vae']
  for row in rows:
    assert row['train']['steps'] == STEPS and row['train']['minutes'] > 0
    assert row['draw']['seconds'] > 0
    assert min(row[stage]['peak_mb'] for stage in ('train', 'draw', 'score')) > 50
    with np.load(whole['out'] / row['name'] / 'drawn.npz') as arrays:
      assert arrays['images'].shape == (200, 28, 28, 1)
      assert ('labels' in arrays) == ('tstr' in row['score']) == (row['name'] == 'vae')
  config = json.loads((whole['out'] / 'vae/run/config.json').read_text())['flags']
  assert config['steps'] == STEPS and config['split'] == 'train' and not config['eval_every']
  assert whole['document']['protocol']['num'] == 200 and whole['document']['machine']['cores']


def test_what_was_killed_goes_on_and_nothing_is_done_twice(whole, tiny):
  assert 'vae: draw was stopped by SIGKILL' in whole['said']
  assert 'the same command goes on' in whole['said']
  assert [row['name'] for row in whole['before']['engines']] == ['plain']
  assert whole['after'] == ['engines.json', *(
      f'plain/{name}.json' for name in ('draw', 'score', 'scores', 'short_51', 'train')),
      'real/trtr.json', 'vae/short_51.json', 'vae/train.json']
  what = [re.search(r'--stage=\w+|/short |/run ', x)[0] for x in whole['commands']]
  assert what == ['--stage=real', '/short ', '/run ', '--stage=draw', '--stage=score', '/short ',
                  '/run ', '--stage=draw', '--stage=draw', '--stage=score']
  engines_json = (whole['out'] / 'engines.json').read_bytes()
  programs.call(engines, *GIVEN, *whole['given'])
  assert tiny.commands == whole['commands']
  assert (whole['out'] / 'engines.json').read_bytes() == engines_json


def test_engines_share_a_training(whole, tiny):
  before, tiny.stops = len(tiny.commands), '--stage=draw'
  assert 'warm: draw was stopped' in stopped(f'--out={whole["out"]}', '--only=warm')
  (command,) = tiny.commands[before:]
  assert f'--run={whole["out"]}/vae/run --sampling=--temperature=2' in command
  assert [x['name'] for x in json.loads((whole['out'] / 'engines.json').read_text())['engines']
          ] == ['plain', 'vae']


def test_the_figures_are_those_of_evaluate_and_downstream(whole, tmp_path):
  drawn = whole['out'] / 'vae/drawn.npz'
  programs.call(evaluate, '--real=mnist5k', f'--synthetic={drawn}', f'--report={tmp_path}')
  there, ours = (json.loads(path.read_text()) for path in (
      tmp_path / 'scores.json', whole['out'] / 'vae/scores.json'))
  assert there['scores'] == ours['scores'] and there['sets'] == ours['sets']
  row = whole['document']['engines'][1]
  for name in engine_table.SCORES:
    assert engine_table.values(row)[name] == there['scores'][name]['value']
    assert whole['document']['real']['floors'][name] == there['scores'][name]['floor']
  with np.load(drawn) as arrays:
    synthetic = arrays['images'], arrays['labels']
  train, test = (read_split(DatasetSpec('mnist5k'), split) for split in ('train', 'test'))
  study = downstream.study(train, test, synthetic, sizes=[200], parts=[], seeds=(0, 1),
                           recipe=downstream.Recipe(5))
  by_name = {x['name']: x['accuracy'] for x in study['settings']}
  for ours, name in ((row['score']['tstr'], '200 synthetic'),
                     (whole['document']['real']['trtr'], '200 real')):
    assert {key: ours[key] for key in by_name[name]} == by_name[name]


def test_the_table_has_a_row_an_engine_and_marks_the_best(whole):
  text = engine_table.table(whole['document'])
  head, _, real, plain, vae = text.splitlines()
  assert len({line.count('|') for line in text.splitlines()}) == 1 and '| 200 images |' in head
  assert 'no labels' in plain and '±' in vae and '±' in real
  least = min(x['score']['scores']['frechet']['value'] for x in whole['document']['engines'])
  assert f'| **{least:.3g}** |' in text
  assert f'| {whole["document"]["real"]["floors"]["frechet"]:.3g} |' in real


def test_parameters_are_of_what_draws(whole):
  """Of the VAE given the label the decoder's alone: its encoder has 784 * 8 weights more."""
  model = experiments.load(whole['out'] / 'vae/run')
  decoder = model.params['vae']['decoder']
  count = sum(x.size for x in jax.tree.leaves(decoder))
  assert whole['document']['engines'][1]['parameters'] == count
  assert count < engine_parameters.drawn_with(model) + 1 < sum(
      x.size for x in jax.tree.leaves(model.params))


def cell(picture, row, column):
  """An image of the picture, at its own size."""
  top, left = (60 * k + 2 for k in (row, column))
  return picture[top:top + 56:2, figure.LEFT + left:figure.LEFT + left + 56:2]


def test_the_picture_has_a_row_an_engine_of_the_same_addresses(whole, tmp_path):
  out, run = tmp_path / 'engines.png', whole['out'] / 'vae/run'
  programs.call(figure, f'--engines={whole["out"]}', f'--out={out}',
                f'--runs=warm:{run}:--temperature=2')
  with Image.open(out) as image:
    picture = np.asarray(image)
  assert picture.shape == (4 * 60, figure.LEFT + 10 * 60) and out.stat().st_size < 100_000
  cells = np.array([[cell(picture, row, k) for k in range(10)] for row in range(4)])
  plain, vae = (np.load(whole['out'] / name / 'drawn.npz')['images'][:10, :, :, 0]
                for name in ('plain', 'vae'))
  np.testing.assert_array_equal(cells[2], vae)
  assert sorted(x.tobytes() for x in cells[1]) == sorted(x.tobytes() for x in plain)
  train = read_split(DatasetSpec('mnist5k'), 'train')
  np.testing.assert_array_equal(cells[0][7], train.images[train.labels == 7][0, :, :, 0])
  assert (cells[3] != cells[2]).any()
  names = picture[:, :figure.LEFT].reshape(4, 60, -1)
  assert (names.min((1, 2)) < 100).all()


@pytest.mark.parametrize('given, message', [
    (['--only=vae,gin,ale'], "--only: no engine 'ale', 'gin'; there are plain, vae, warm"),
    (['--num=300'], 'num: 200 before, 300 now'),
    (['--minutes=3'], 'minutes: 0.0001 before, 3.0 now'),
    (['--dataset=mnist', '--data_dir=/nowhere'], 'no data set of this name is prepared')])
def test_what_does_not_fit_is_refused_before_any_work(whole, tiny, given, message):
  before = len(tiny.commands), records(whole['out'])
  assert message in programs.refused(engines, *GIVEN, f'--out={whole["out"]}', *given)
  assert before == (len(tiny.commands), records(whole['out']))


@pytest.mark.parametrize('given, message', [
    ([], 'nothing to draw'), (['--runs=vae'], 'expected a name and a folder'),
    (['--runs=a:/nowhere'], 'no run there'), (['--engines=/nowhere'], 'no engines.json there')])
def test_pictures_of_nothing_are_refused(tmp_path, given, message):
  assert message in programs.refused(figure, f'--out={tmp_path / "a.png"}', *given)


def test_a_column_a_class_needs_classes(tmp_path):
  np.savez(tmp_path / 'grey.npz', images=np.zeros((40, 28, 28, 1), np.uint8))
  run = training.trained(tmp_path / 'run', *SMALL, f'--dataset={tmp_path}/grey.npz', '--steps=1',
                         name='mnist_vae')
  said = programs.refused(figure, f'--out={tmp_path / "a.png"}', f'--runs=grey:{run}')
  assert 'its data have no labels' in said


def test_flags_that_are_none_of_sampling_are_refused(whole, tmp_path):
  said = programs.refused(figure, f'--out={tmp_path / "a.png"}',
                          f'--runs=vae:{whole["out"]}/vae/run:--hidden=9')
  assert 'hidden' in said and 'temperature' in said


def test_a_killed_process_leaves_nothing_half_written(whole, tmp_path, monkeypatch):
  """A real one, killed as what it has drawn is to get its name."""
  killer = tmp_path / 'killer.py'
  killer.write_text('''
import os, pathlib, runpy, signal, sys
rename = os.replace
def replace(before, after):
  if str(after).endswith('drawn.npz'):
    os.kill(os.getpid(), signal.SIGKILL)
  rename(before, after)
os.replace = replace
sys.path[0] = str(pathlib.Path(os.environ['STAGE']).parent)
runpy.run_path(os.environ['STAGE'], run_name='__main__')
''')
  folder, args = tmp_path / 'vae', [
      '--stage=draw', f'--run={whole["out"]}/vae/run', f'--images={tmp_path}/vae/drawn.npz',
      '--num=100']
  monkeypatch.setenv('STAGE', str(BENCHMARKS / 'engine_stage.py'))
  monkeypatch.setattr(stored_stage, 'call', runner.call)
  with pytest.raises(SystemExit, match='by SIGKILL; its log'):
    stored_stage.run(folder, 'draw', {}, killer, args)
  left = {path.name for path in folder.iterdir() if path.suffix != '.aside'}
  assert left == {'draw.log'} and stored_stage.read(folder, 'draw', {}) is None
  programs.call(engine_stage, *args, f'--result={tmp_path / "result"}')
  assert {path.name for path in folder.iterdir()} == {'draw.log', 'drawn.npz'}
