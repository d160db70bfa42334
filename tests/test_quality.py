"""Filtered data sets and the gate: of the library, and as a user makes them."""
import json
import pathlib

from absl import flags
from common import experiments
import launcher
import numpy as np
import pytest
import tiny
from tiny import command, contents, labels_by, synthesized

from jaxsynth import data, quality
from jaxsynth.data import roles
from jaxsynth.data.examples import random_positions
from jaxsynth.metrics import distances, features
from jaxsynth.quality import filter_table
from jaxsynth.synthesis import metadata

ROOT = pathlib.Path(__file__).parent.parent
FLAGS = ['--num=240', '--shards=4', '--block=20', '--filters=copies,duplicates', '--labels=3:1,7:3',
         '--score_num=200']
PASSES = '--require=precision>=0,copies<=.1'


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  return tiny.workdir(tmp_path_factory.mktemp('run'), '--conditional')


@pytest.fixture(scope='module')
def model(run):
  return experiments.load(run)


@pytest.fixture(scope='module')
def real(model):
  return quality.read_real(model)


def measured_of(folder):
  return json.loads((folder / 'metadata.json').read_text())['measured']


def images_of(name, root):
  return data.in_memory(data.tfds_source(name, 'train', root))


@pytest.mark.parametrize('before, after, worse', [
    (1., 1.05, False), (1., 1.2, True), (None, None, False)])
def test_filters_that_make_it_worse_are_told(before, after, worse):
  measured = {name: {'frechet': value, 'recall': .5, 'coverage': .5}
              for name, value in (('unfiltered', before), ('scores', after), ('floor', .1))}
  measured |= {'kept': {'share': .05, 'candidates': 90}, 'cost': {'recall': 0., 'coverage': 0.}}
  assert ('the filters made frechet worse' in quality.summary(measured)) == worse


@pytest.mark.long
def test_filtered_by_one_worker_two_or_a_launchers_and_then_judged(
    run, tmp_path, capsys, monkeypatch):
  assert synthesized(run, tmp_path / 'one', *FLAGS, PASSES) == 0
  text = capsys.readouterr().err
  assert 'filter copies: threshold' in text and '240/240 images' in text and 'accepted' in text
  for k in (0, 1):
    assert synthesized(run, tmp_path / 'two', *FLAGS, PASSES, f'--worker={k}/2') == 0
  monkeypatch.setenv('JAX_NUM_CPU_DEVICES', '4')  # as here
  launched = launcher.together(
      command(run, tmp_path / 'launched', *FLAGS, PASSES, '--distributed'), ROOT)
  for k, (code, text) in enumerate(launched):
    assert code == 0 and f'worker {k} of 2' in text, text
  assert (contents(tmp_path / 'one') == contents(tmp_path / 'two') ==
          contents(tmp_path / 'launched'))
  folder = tmp_path / 'one/synthetic/1.0.0'
  labels = images_of('synthetic', tmp_path / 'one').labels
  assert np.bincount(labels).tolist() == [0, 0, 0, 60, 0, 0, 0, 180]
  assert json.loads((folder / 'metadata.json').read_text())['filters']['names'] == [
      'copies', 'duplicates']
  measured = measured_of(folder)
  assert measured['quality'] == 'accepted' and measured['required'] == [
      'precision>=0', 'copies<=0.1']
  assert measured['kept']['accepted'] == 240 and set(measured['cost']) == {'recall', 'coverage'}
  assert measured['kept']['filters']['copies']['threshold'] > 0
  assert measured['floor']['precision'] > .5 > measured['scores']['precision']

  before = contents(tmp_path / 'one')
  capsys.readouterr()
  code = synthesized(run, tmp_path / 'one', *FLAGS, '--require=precision>=.9')
  assert code == quality.REJECTED and '0 of 4 shards' in capsys.readouterr().err
  after = contents(tmp_path / 'one')
  changed = [name for name in before if before[name] != after[name]]
  assert list(before) == list(after) and changed == ['synthetic/1.0.0/metadata.json']
  measured = measured_of(folder)
  assert measured['quality'] == 'rejected' and 'precision>=0.9: 0' in measured['failed'][0]
  with pytest.raises(metadata.OtherSettings, match='filters.keep: 0.95 there, 0.9 now'):
    synthesized(run, tmp_path / 'one', *FLAGS, '--keep=.9')


@pytest.mark.long
def test_the_discriminator_and_a_classifier_as_a_library(model, real, tmp_path):
  """Most of this generator's noise is of one class to a classifier of digits."""
  given = tiny.labeller_file()
  most = int(np.bincount(labels_by(given, drawn(model, 100))).argmax())
  shares = [int(k == most) for k in range(10)]
  selection = quality.Selection(('discriminator', 'classifier'), keep=.99, classifier=given)
  for name, chosen in (('plain', quality.Selection()), ('strict', selection)):
    order = quality.Order.of(model, tmp_path, {'train': 200}, name=name, shares=shares, block=20)
    assert quality.begin(order, model, real, chosen).write()
  measured = quality.measure(order, model, real, selection, most=200)
  before, after = (images_of(name, tmp_path).images for name in ('plain', 'strict'))
  says = lambda images: labels_by(order.folder / '.classifier.npz', images)
  assert (says(after) == most).all() and not (says(before) == most).all()
  kept = measured['kept']
  passing = kept['of_candidates']
  assert all(0 < passing[name] < 1 for name in selection.filters)
  assert kept['share'] <= min(passing.values()) and kept['accepted'] == 200
  records = kept['filters']
  assert list(records['discriminator']) == ['validation', 'keep', 'calibration', 'threshold',
                                            'kept_of_validation', 'kept_of_samples']
  assert records['discriminator']['kept_of_validation'] >= .99
  assert records['classifier']['accuracy_on_validation'] > .9
  # a place keeps its sample where that passes
  same = (before == after).all((1, 2, 3)).mean()
  assert abs(same - kept['share']) < .15 and same < (says(before) == most).mean() + 1e-9


def drawn(model, num):
  order = quality.Order.of(model, '.', {'train': num}, block=20)
  return quality.spare_samples(order, model, num).images


@pytest.mark.long
def test_gamma_takes_the_place_of_keep_and_filters_are_fitted_once(
    model, real, tmp_path, monkeypatch):
  """By a discriminator that takes dark images, as digits are, for real."""
  dark = lambda state, images, *labels: -images.mean((1, 2, 3))
  model = model._replace(run=model.run._replace(logits=dark))
  order = quality.Order.of(model, tmp_path, {'train': 20}, block=20)
  order.folder.mkdir(parents=True)
  selection = quality.Selection(('discriminator', 'copies'), gamma=30.)
  material = quality.Material(order, model, real, selection)
  fitted = quality.fit_filters(material)
  record = fitted.records['discriminator']
  assert record['keep'] is None and record['percentile'] == 30.
  assert [x.threshold for x in fitted.filters] == [
      fitted.records[name]['threshold'] for name in selection.filters]
  assert fitted.lines[0].startswith(f'filter discriminator: threshold {record["threshold"]:.4g}, ')
  monkeypatch.setitem(filter_table.KINDS, 'copies', filter_table.KINDS['copies']._replace(
      fit=lambda *args: pytest.fail('fitted twice')))
  again = quality.fit_filters(quality.Material(order, model, real, selection))
  assert again.records == fitted.records
  assert [x.threshold for x in again.filters] == [x.threshold for x in fitted.filters]


def test_the_table_has_every_filter_in_order():
  assert tuple(filter_table.KINDS) == quality.FILTERS


def test_an_unfiltered_folder_is_judged_too(run, tmp_path):
  code = synthesized(run, tmp_path, '--num=200', '--format=folder', '--score_num=200',
                     '--require=recall>=.999')
  assert code == quality.REJECTED
  measured = measured_of(tmp_path)
  assert measured['quality'] == 'rejected' and 'kept' not in measured
  assert len(list(tmp_path.glob('train/*/*.png'))) == 200


@pytest.mark.long
def test_what_no_sample_passes(run, tmp_path):
  """An untrained generator under a filter that asks for digits."""
  with pytest.raises(SystemExit, match='the filters keep 0.00% of .*(?s:.)*run this again'):
    synthesized(run, tmp_path, '--num=40', '--block=20', '--filters=realism', '--attempts=3')
  assert not list(tmp_path.rglob('*.array_record*'))


@pytest.mark.parametrize('given, message', [
    (['--filters=copies', '--gamma=80'], '--gamma is of --filters=discriminator'),
    (['--filters=copies', '--validation_split=tset'], "split 'tset'"),
    (['--filters=copies', '--validation_split=test', '--data_dir=/nowhere', '--features=vgg'],
     'expected auto, mnist'),
    (['--require=fid<=3'], "unknown score 'fid'")])
def test_what_is_refused_before_any_work(run, tmp_path, given, message):
  with pytest.raises(ValueError, match=message):
    synthesized(run, tmp_path / 'a', '--num=20', *given)
  assert not (tmp_path / 'a').exists()


def test_unknown_filters_are_refused_by_their_flag_and_by_the_library(run, model, tmp_path):
  with pytest.raises(flags.IllegalFlagValueError, match='expected some of'):
    synthesized(run, tmp_path / 'a', '--num=20', '--filters=copies,blur')
  with pytest.raises(ValueError, match='copies,copies: expected some of .* each once'):
    quality.read_real(model, quality.Selection(('copies', 'copies')))


def test_a_discriminator_that_is_not_there_or_judges_packs(model):
  of = lambda **changes: model._replace(run=model.run._replace(**changes))
  selection = quality.Selection(('copies', 'discriminator'))
  with pytest.raises(ValueError, match='for it there are classifier, realism, density, copies, d'):
    quality.read_real(of(logits=None), selection)
  with pytest.raises(ValueError, match='judges packs of images'):
    quality.read_real(of(packing=2), selection)
  quality.read_real(of(logits=None, packing=2), quality.Selection(('copies',)))


def test_other_training_data_than_the_runs_are_refused(model):
  about = {**model.record['data'], 'digest': 'another'}
  with pytest.raises(ValueError, match='mnist5k train is not what the run was trained on'):
    quality.read_real(model._replace(record={**model.record, 'data': about}))


def test_filters_need_real_images(model, tmp_path):
  order = quality.Order.of(model, tmp_path, {'train': 20})
  with pytest.raises(ValueError, match='stand on real images'):
    quality.begin(order, model, None, quality.Selection(('copies',)))
  assert not list(tmp_path.iterdir())


def test_scores_are_the_engines_and_their_cards_say_so(real):
  scorer = quality.Scorer(real, 100)
  images = data.mnist5k('test').images
  scores, cards = scorer.scores(images), scorer.protocols(len(images))
  assert scorer.num == 100 and scores['frechet'] > 0
  assert scorer.scores(images[:60])['frechet'] is None  # of 64 features
  held_out = real.held_out.images[random_positions(500, 100)]
  want = distances.Reference(features.extract_all(real.features, held_out)).measure(
      features.extract_all(real.features, images), ('kernel', 'recall'))
  assert scores['kernel'] == want['kernel'].value and scores['recall'] == want['recall'].value
  assert list(cards) == ['frechet', 'kernel', 'copies', 'precision', 'recall', 'density',
                         'coverage']
  assert cards['kernel']['seed'] == distances.SEED
  assert cards['kernel']['settings'] == distances.settings('kernel', 100, 500)
  assert cards['recall']['settings'] == {'k': distances.K} and cards['recall']['n_real'] == 100
  copies = scorer.scores(real.train.take(np.arange(100))['image'])['copies']
  assert copies == 1 and scorer.floor()['copies'] == 1 / 501


def test_features_by_name():
  shape = (28, 28, 1)
  assert features.by_name('auto', shape, True).name == 'mnist'
  assert features.by_name('auto', shape, False).name == 'random_conv_0'
  with pytest.raises(ValueError, match='expected auto, mnist'):
    features.by_name('vgg', shape, True)
  with pytest.raises(ValueError, match='they take images'):
    features.by_name('mnist', (32, 32, 3), False)


@pytest.mark.parametrize('text', ['', 'recall', 'recall>=', 'recall==1', 'recall>=nan', 'a>=1,',
                                  'frechet>=3', 'recall<=.5', 'density<=1'])
def test_requirements_that_are_refused(text):
  with pytest.raises(ValueError, match='--require'):
    quality.parse_requirements(text)


def test_bounds_are_strict_or_not():
  scores = {'recall': .5, 'frechet': 3., 'kernel': None}
  for text, failed in (('recall>=.5,frechet<=3', 0), ('recall>.5', 1), ('frechet<3', 1),
                       ('kernel<=1', 1), ('recall>.5,frechet<3', 2)):
    verdict = quality.verdict(scores, quality.parse_requirements(text))
    assert len(verdict['failed']) == failed
    assert verdict['quality'] == ('rejected' if failed else 'accepted')


@pytest.mark.parametrize('split, want', [('train[:55000]', 'train[55000:]'),
                                         ('train[:90%]', 'train[90%:]')])
def test_the_rest_of_a_split_is_held_out(monkeypatch, split, want):
  spec = data.DatasetSpec('mnist', split)
  monkeypatch.setattr(roles, 'split_names', lambda spec: (
      ('train', 'test') if spec.kind == 'tfds' else ()))
  assert roles.held_out(spec) == want
  for unsplit in ('x.npz', './mnist'):
    with pytest.raises(ValueError, match='--validation_split'):
      roles.held_out(spec._replace(dataset=unsplit, split='train'))
