"""Filtered data sets and the gate, as a user makes them."""
import doctest
import json
import pathlib

from extractors import extractor
import gate
import judge
import launcher
import numpy as np
import pytest
import quality
import quality_options
import tiny
from tiny import command, contents, synthesize

from jaxsynth import data

ROOT = pathlib.Path(__file__).parent.parent
FLAGS = ['--num=240', '--shards=4', '--block=20', '--filters=copies,duplicates', '--labels=3:1,7:3',
         '--score_num=200']


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  return tiny.workdir(tmp_path_factory.mktemp('run'), '--conditional')


@pytest.mark.parametrize('before, after, worse', [
    (1., 1.05, False), (1., 1.2, True), (None, None, False)])
def test_filters_that_make_it_worse_are_told(before, after, worse):
  measured = {name: {'frechet': value, 'recall': .5, 'coverage': .5}
              for name, value in (('unfiltered', before), ('scores', after), ('floor', .1))}
  measured |= {'kept': {'share': .05, 'candidates': 90}, 'cost': {'recall': 0., 'coverage': 0.}}
  assert ('the filters made frechet worse' in quality.show(measured)) == worse


def test_filtered_by_one_worker_two_or_a_launchers_and_then_judged(run, tmp_path):
  one = synthesize(run, tmp_path / 'one', *FLAGS, '--require=precision>=0,copies<=.1')
  assert one.returncode == 0 and 'accepted' in one.stderr, one.stderr
  for k in (0, 1):
    two = synthesize(run, tmp_path / 'two', *FLAGS, f'--worker={k}/2',
                     '--require=precision>=0,copies<=.1')
    assert two.returncode == 0, two.stderr
  launched = launcher.together(
      command(run, tmp_path / 'launched', *FLAGS, '--require=precision>=0,copies<=.1',
              '--distributed'), ROOT)
  assert not [text for code, text in launched if code], launched
  assert (contents(tmp_path / 'one') == contents(tmp_path / 'two') ==
          contents(tmp_path / 'launched'))
  folder = tmp_path / 'one/synthetic/1.0.0'
  labels = data.in_memory(data.tfds_source('synthetic', 'train', tmp_path / 'one')).labels
  assert np.bincount(labels).tolist() == [0, 0, 0, 60, 0, 0, 0, 180]
  found = json.loads((folder / 'metadata.json').read_text())
  assert found['filters']['names'] == ['copies', 'duplicates']
  measured = found['measured']
  assert measured['quality'] == 'accepted' and measured['required'] == [
      'precision>=0', 'copies<=0.1']
  assert measured['kept']['accepted'] == 240 and set(measured['cost']) == {'recall', 'coverage'}
  assert measured['kept']['filters']['copies']['threshold'] > 0
  assert measured['protocol']['recall']['n_real'] == 200
  assert measured['floor']['precision'] > .5 > measured['scores']['precision']

  before = contents(tmp_path / 'one')
  again = synthesize(run, tmp_path / 'one', *FLAGS, '--require=precision>=.9')
  assert again.returncode == gate.REJECTED and '0 of 4 shards' in again.stderr, again.stderr
  after = contents(tmp_path / 'one')
  changed = [name for name in before if before[name] != after[name]]
  assert list(before) == list(after) and changed == ['synthetic/1.0.0/metadata.json']
  measured = json.loads((folder / 'metadata.json').read_text())['measured']
  assert measured['quality'] == 'rejected' and 'precision>=0.9: 0' in measured['failed'][0]
  other = synthesize(run, tmp_path / 'one', *FLAGS, '--keep=.9')
  assert 'filters.keep: 0.95 there, 0.9 now' in other.stdout + other.stderr
  assert other.returncode == 1


def test_the_discriminator_and_a_classifier_through_their_flags(run, tmp_path):
  """Most of this generator's noise is of one class to a classifier of digits."""
  flags = ['--num=200', '--block=20', '--score_num=200']
  first = synthesize(run, tmp_path, *flags, '--name=first', '--pseudo_labels')
  assert first.returncode == 0, first.stderr
  seen = np.bincount(data.in_memory(data.tfds_source('first', 'train', tmp_path)).labels)
  most = int(seen.argmax())
  given = tmp_path / 'first/1.0.0/.classifier.npz'
  plain = synthesize(run, tmp_path, *flags, f'--labels={most}:1', '--name=plain')
  strict = synthesize(run, tmp_path, *flags, f'--labels={most}:1', '--name=strict', '--keep=.99',
                      '--filters=discriminator,classifier', f'--classifier={given}')
  assert plain.returncode == strict.returncode == 0, plain.stderr + strict.stderr
  before, after = (data.in_memory(data.tfds_source(name, 'train', tmp_path)).images
                   for name in ('plain', 'strict'))
  folder = tmp_path / 'strict/1.0.0'
  own = judge.load(folder / '.classifier.npz', (28, 28, 1), 10)
  says = lambda x: np.asarray(own.logits(own.weights, data.to_float({'image': x})['image'])
                              ).argmax(1)
  assert (says(after) == most).all() and not (says(before) == most).all()
  kept = json.loads((folder / 'metadata.json').read_text())['measured']['kept']
  shares = kept['of_candidates']
  assert all(0 < shares[name] < 1 for name in ('discriminator', 'classifier'))
  assert kept['share'] <= min(shares.values()) and kept['accepted'] == 200
  assert kept['filters']['discriminator']['kept_of_validation'] >= .99
  assert kept['filters']['classifier']['accuracy_on_validation'] > .9
  # a place keeps its sample where that passes
  same = (before == after).all((1, 2, 3)).mean()
  assert abs(same - kept['share']) < .15 and same < (says(before) == most).mean() + 1e-9


def test_an_unfiltered_folder_is_judged_too(run, tmp_path):
  done = synthesize(run, tmp_path, '--num=200', '--format=folder', '--score_num=200',
                    '--require=recall>=.999')
  assert done.returncode == gate.REJECTED and 'Traceback' not in done.stderr, done.stderr
  measured = json.loads((tmp_path / 'metadata.json').read_text())['measured']
  assert measured['quality'] == 'rejected' and 'kept' not in measured
  assert len(list(tmp_path.glob('train/*/*.png'))) == 200


def test_what_no_sample_passes(run, tmp_path):
  """An untrained generator under a filter that asks for digits."""
  done = synthesize(run, tmp_path, '--num=40', '--block=20', '--filters=realism', '--attempts=3')
  assert done.returncode == 1 and 'the filters keep 0.00% of' in done.stderr, done.stderr
  assert 'Traceback' not in done.stderr and not list(tmp_path.rglob('*.array_record*'))


@pytest.mark.parametrize('flags, message', [
    (['--filters=copies,blur'], 'expected some of'),
    (['--filters=copies', '--gamma=80'], '--gamma is of --filters=discriminator'),
    (['--filters=copies', '--validation_split=tset'], "split 'tset'"),
    (['--require=fid<=3'], "unknown score 'fid'")])
def test_what_is_refused_before_any_work(run, tmp_path, flags, message):
  done = synthesize(run, tmp_path / 'a', '--num=20', *flags)
  assert done.returncode == 1 and message in done.stdout + done.stderr, done.stderr
  assert 'Traceback' not in done.stderr and not (tmp_path / 'a').exists()


@pytest.mark.parametrize('module', [gate, quality_options])
def test_examples_of_docstrings(module):
  found = doctest.testmod(module)
  assert found.attempted and not found.failed


def test_features_by_name():
  shape = (28, 28, 1)
  assert extractor('auto', shape, True).name == 'mnist'
  assert extractor('auto', shape, False).name == 'random_conv_0'
  with pytest.raises(ValueError, match='expected auto, mnist'):
    extractor('vgg', shape, True)
  with pytest.raises(ValueError, match='they take images'):
    extractor('mnist', (32, 32, 3), False)


@pytest.mark.parametrize('text', ['', 'recall', 'recall>=', 'recall==1', 'recall>=nan', 'a>=1,',
                                  'frechet>=3', 'recall<=.5', 'density<=1'])
def test_requirements_that_are_refused(text):
  with pytest.raises(ValueError, match='--require'):
    gate.requirements(text)


def test_bounds_are_strict_or_not():
  scores = {'recall': .5, 'frechet': 3., 'kernel': None}
  for text, failed in (('recall>=.5,frechet<=3', 0), ('recall>.5', 1), ('frechet<3', 1),
                       ('kernel<=1', 1), ('recall>.5,frechet<3', 2)):
    found = gate.verdict(scores, gate.requirements(text))
    assert len(found['failed']) == failed
    assert found['quality'] == ('rejected' if failed else 'accepted')


@pytest.mark.parametrize('split, want', [('train[:55000]', 'train[55000:]'),
                                         ('train[:90%]', 'train[90%:]')])
def test_the_rest_of_a_split_is_held_out(split, want):
  config = {'dataset': 'mnist', 'split': split, 'data_dir': None}
  assert quality_options.held_out(config) == want
  with pytest.raises(ValueError, match='--validation_split'):
    quality_options.held_out({**config, 'dataset': 'x.npz', 'split': 'train'})
  with pytest.raises(ValueError, match='--validation_split'):
    quality_options.held_out({**config, 'dataset': './mnist'})
