"""Is this data any good: every kind of set, floors, planted faults, the page."""
import json
import pathlib
import re
import subprocess
import sys

from absl import flags
from common import experiments
import evaluate as program
import numpy as np
from PIL import Image
import prepared
import pytest
import tiny

from jaxsynth import data, evaluation, report
from jaxsynth.data.roles import roles
from jaxsynth.evaluation import cards, embedded, scoring
from jaxsynth.metrics import features
from jaxsynth.metrics.protocol import Protocol, ProtocolError, Scored, difference
from jaxsynth.pages import evaluation as evaluation_page
from jaxsynth.runs.scores import read_scores

ROOT = pathlib.Path(__file__).parent.parent


def npz(path, images, labels=None):
  np.savez(path, images=images, **({} if labels is None else {'labels': labels}))
  return path


def compared(path, dataset='mnist5k', **given):
  spec = data.DatasetSpec(str(dataset))
  return evaluation.read_comparison(evaluation.read_synthetic(path), spec, roles(spec, **given))


def marks(outcome):
  return {name: evaluation.mark(name, score, outcome.details)
          for name, score in outcome.scores.items()}


def blurred(images):
  x = images.astype(np.float32)
  for axis in (1, 2):
    x = (np.roll(x, 1, axis) + x + np.roll(x, -1, axis)) / 3
  return np.rint(x).astype(np.uint8)


@pytest.fixture(scope='module')
def real():
  return data.mnist5k('validation')


@pytest.fixture(scope='module')
def train():
  """As many images of each class as the others have: fewer shapes are fewer compilations."""
  source = data.mnist5k('train')
  return data.ArraySource.of(source.images[::8], source.labels[::8], 10)


@pytest.fixture(scope='module')
def evaluated(tmp_path_factory, real, train):
  """Fresh real images as if they were synthetic, and the same with faults."""
  folder, outcomes = tmp_path_factory.mktemp('sets'), {}
  learned = str(npz(folder / 'train.npz', train.images, train.labels))
  kept = real.labels < 5
  faults = {'fresh': (real.images, real.labels), 'blurred': (blurred(real.images), real.labels),
            'few': (np.tile(real.images[kept], (2, 1, 1, 1)), np.tile(real.labels[kept], 2)),
            'copied': (train.images, train.labels)}
  for name, (images, labels) in faults.items():
    comparison = compared(npz(folder / f'{name}.npz', images, labels), train=learned,
                          validation='')
    outcomes[name] = comparison, evaluation.evaluate(comparison, features.mnist(), True)
  return outcomes


def values(evaluated, name):
  return {key: score.value for key, score in evaluated[name][1].scores.items()}


def test_fresh_real_images_score_as_the_floor(evaluated):
  comparison, outcome = evaluated['fresh']
  assert not outcome.not_applicable and set(outcome.scores) == set(evaluation.MEANINGS)
  assert 'bad' not in marks(outcome).values(), marks(outcome)
  scores = outcome.scores
  assert scores['frechet'].value == pytest.approx(scores['frechet'].floor, rel=.5)
  assert scores['precision'].value == pytest.approx(scores['precision'].floor, abs=.1)
  assert len(comparison.other.images) == len(comparison.synthetic.images) == 500


def test_planted_faults_score_worse(evaluated):
  fresh, blur, few, copied = (values(evaluated, n) for n in ('fresh', 'blurred', 'few', 'copied'))
  for name in ('frechet', 'kernel', 'pixel_ks', 'pixel_variance'):
    assert blur[name] > 2 * fresh[name], name
  assert few['coverage'] < .7 * fresh['coverage'] and few['frechet'] > 3 * fresh['frechet']
  assert few['duplicates'] == 1 and fresh['duplicates'] == 0
  assert few['class_balance'] == .5
  balance = evaluated['few'][1].details['balance']
  assert balance['missing'] == [5, 6, 7, 8, 9]
  assert copied['near_copies'] == 1 and fresh['near_copies'] < .1
  exact = {name: outcome.details['memorisation']['exact_copies']
           for name, (_, outcome) in evaluated.items()}
  assert exact == {'fresh': 0, 'blurred': 0, 'few': 0, 'copied': 500}
  assert copied['nearer_to_train'] == 1 and copied['data_copying'] < -10
  marked = marks(evaluated['copied'][1])
  assert {name for name in marked if marked[name] == 'bad'} >= {
      'nearer_to_train', 'data_copying', 'authenticity', 'near_copies'}


def test_the_record_holds_every_score_with_its_floor_and_protocol(evaluated):
  comparison, outcome = evaluated['few']
  text = json.dumps(evaluation.record(comparison, outcome, {'num': 7}), allow_nan=False)
  record = json.loads(text)
  assert record['flags'] == {'num': 7} and list(record['scores']) == list(outcome.scores)
  for name, row in record['scores'].items():
    scored = Scored.from_json(json.dumps(row))
    assert scored == outcome.scores[name] and np.isfinite(scored.floor)
  assert record['scores']['frechet']['protocol']['score'] == 'frechet_mnist'
  assert record['scores']['frechet']['protocol']['split'] == 'mnist5k/test'
  assert [row['synthetic'] for row in record['classes']] == [100] * 5 + [0] * 5
  assert record['classes'][7]['precision'] is None


def test_scores_of_other_protocols_do_not_compare(evaluated):
  comparison, outcome = evaluated['fresh']
  fewer = comparison._replace(synthetic=comparison.synthetic.take(np.arange(300)),
                              other=comparison.other.take(np.arange(300)))
  vectors = embedded.embed(fewer, features.mnist(), False)
  scores, _ = scoring.distance_scores(vectors, cards.Cards(fewer, vectors.net))
  with pytest.raises(ProtocolError, match='n_fake: 500 and 300'):
    difference(outcome.scores['frechet'], scores['frechet'])


def test_the_page_escapes_names_and_draws_the_run(evaluated):
  comparison, outcome = evaluated['few']
  evil = '<script>alert(1)</script>'
  comparison = comparison._replace(synthetic=comparison.synthetic._replace(name=evil),
                                   class_names=[evil] + comparison.class_names[1:])
  rows = [{'step': k, 'frechet': 9. / k, 'frechet_floor': 1., 'precision': .5, 'recall': .5,
           'coverage': .5} for k in (1, 2)]
  text = report.render(evaluation_page.page(comparison, outcome, rows))
  assert '<script' not in text and '&lt;script&gt;' in text
  assert not re.search(r'(src|href)="(?!data:|#)|url\((?!#)', text)
  for part in ('Samples', 'Classes', 'Best and worst', 'Memory', 'Training', 'step 2'):
    assert part in text
  assert 'No synthetic image of class 5, 6, 7, 8, 9' in text


def test_each_score_of_a_class_stands_beside_its_own_floor(evaluated):
  comparison, outcome = evaluated['blurred']
  page = evaluation_page.page(comparison, outcome)
  classes = next(section for section in page.sections if section.heading == 'Classes')
  table = next(item for item in classes.items if isinstance(item, report.Table))
  for row, cells in zip(outcome.classes, table.rows, strict=True):
    for name in ('precision', 'recall'):
      at = table.columns.index(name)
      assert table.columns[at + 1] == 'floor'
      assert cells[at:at + 2] == [row[name], row[f'{name}_floor']]


def test_every_kind_of_path(tmp_path, real):
  images, labels = real.images[::4], real.labels[::4]
  for i, (image, label) in enumerate(zip(images, labels)):
    path = tmp_path / f'folder/{label}/{i:03d}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image[..., 0]).save(path)
  kinds = prepared.KINDS
  prepared.write(
      tmp_path, {'image': kinds.Image(shape=(28, 28, 1)),
                 'label': kinds.ClassLabel(num_classes=10)},
      [{'image': prepared.png(x[..., 0]), 'label': y} for x, y in zip(images, labels)],
      name='prepared')
  for path in (npz(tmp_path / 'a.npz', images, labels), tmp_path / 'prepared',
               tmp_path / 'prepared/1.0.0'):
    synthetic = evaluation.read_synthetic(path)
    np.testing.assert_array_equal(synthetic.examples.images, images)
    np.testing.assert_array_equal(synthetic.examples.labels, labels)
    assert synthetic.examples.name == ('a.npz' if path.suffix == '.npz' else 'prepared')
  examples, num_classes, about = evaluation.read_synthetic(tmp_path / 'folder', num=100)
  assert len(examples.images) == 100 and num_classes == 10 and about['kind'] == 'folder'


def test_the_samples_of_a_run_are_its_own(tmp_path):
  run = tiny.workdir(tmp_path / 'run', '--conditional')
  of = lambda **given: evaluation.read_synthetic(run, load_run=experiments.load, **given)
  drawn = of(num=110).examples
  assert drawn.images.shape == (110, 28, 28, 1) and drawn.labels[:3].tolist() == [0, 1, 2]
  npz(run / 'synthetic.npz', drawn.images[:105], drawn.labels[:105])
  assert of().about == {'kind': 'synthetic.npz of a run'} and len(of().examples.images) == 105
  np.testing.assert_array_equal(of(num=110).examples.images, drawn.images)
  np.testing.assert_array_equal(of(num=100, step='3').examples.images, drawn.images[:100])
  with pytest.raises(FileNotFoundError, match='no checkpoint with a score'):
    of(step='best')
  with pytest.raises(ValueError, match='give load_run'):
    evaluation.read_synthetic(run, num=110)


def test_without_splits_or_labels_what_can_be_said_is_said(tmp_path, real):
  whole = npz(tmp_path / 'real.npz', data.mnist5k('train').images[::4])
  comparison = compared(npz(tmp_path / 'a.npz', real.images), whole)
  assert comparison.train is None
  assert len(comparison.real.images) == len(comparison.other.images) == 500
  outcome = evaluation.evaluate(comparison, features.mnist())
  assert set(outcome.not_applicable) == {
      'classifier', 'label_agreement', 'class_balance', 'classes', 'nearer_to_train',
      'data_copying', 'authenticity', 'near_copies'}
  text = report.render(evaluation_page.page(comparison, outcome))
  assert 'Not applicable' in text and 'no training set' in text


def test_a_floor_without_labels_leaves_classes_out(tmp_path, real, train):
  learned = npz(tmp_path / 'train.npz', train.images)
  comparison = compared(npz(tmp_path / 'a.npz', real.images, real.labels), train=str(learned),
                        validation='')
  assert comparison.real.labels is not None and comparison.other.labels is None
  outcome = evaluation.evaluate(comparison, features.mnist())
  assert outcome.not_applicable['classes'] == "the floor's images have no labels"
  assert not outcome.classes


def test_a_classifier_stands_in_for_labels(evaluated):
  comparison, labelled = evaluated['few']
  bare = comparison._replace(synthetic=comparison.synthetic._replace(labels=None), train=None)
  outcome = evaluation.evaluate(bare, features.mnist(), True)
  assert outcome.not_applicable['label_agreement'] == 'the synthetic images have no labels'
  assert outcome.details['balance']['labels'] == 'seen by the classifier'
  assert outcome.scores['class_balance'].protocol.features == 'mnist_logits'
  assert labelled.scores['class_balance'].protocol.features == 'labels'
  seen, given = outcome.labels, labelled.labels
  assert .9 < (seen == given).mean() and 'agreement' not in outcome.classes[0]


def test_half_a_line_of_scores_is_no_line(tmp_path):
  assert read_scores(tmp_path) == []
  (tmp_path / 'scores.jsonl').write_text('{"step": 1}\n{"step": 2}\n{"st')
  assert read_scores(tmp_path) == [{'step': 1}, {'step': 2}]


@pytest.mark.parametrize('images, given, message', [
    (np.full((120, 28, 28, 1), np.nan), {}, '120 of 120 images are not finite'),
    (np.full((120, 28, 28, 1), 3.), {}, 'expected \\[-1, 1\\]'),
    (np.zeros((120, 28, 28, 1), np.int64), {}, 'dtype int64'),
    (np.zeros((120, 32, 28, 3), np.uint8), {}, '\\[32, 28, 3\\], the real ones'),
    (np.zeros((99, 28, 28, 1), np.uint8), {}, '99 examples, expected at least 100'),
    (np.zeros((120, 28, 28, 1), np.uint8), {'train': 'test'}, 'are in mnist5k/test too'),
    (np.zeros((120, 28, 28, 1), np.uint8), {'test': 'tset'}, "split 'tset'"),
    (np.zeros((120, 28, 28, 1), np.uint8), {'dataset': 'none.npz'}, 'no such file')])
def test_bad_sets_are_refused(tmp_path, images, given, message):
  with pytest.raises((ValueError, OSError), match=message):
    compared(npz(tmp_path / 'a.npz', images), **given)


def test_a_reference_without_a_class_is_refused(tmp_path, real):
  keep = real.labels != 3
  part = npz(tmp_path / 'real.npz', real.images[keep], real.labels[keep])
  with pytest.raises(ValueError, match='real.npz: no examples of 3, .*it has 0, 1, 2, 4, 5'):
    compared(npz(tmp_path / 'a.npz', real.images, real.labels), part)


@pytest.mark.parametrize('flag, message', [
    ('--synthetic=none', 'nothing there'), ('--blind=1002', 'of at most 1000'),
    ('--downstream=none', 'no downstream.json there'), ('--features=no', 'expected auto')])
def test_what_cannot_be_done_is_said_before_anything_is_written(tmp_path, real, flag, message):
  values = flags.FlagValues()
  program.define_flags(values)
  path = npz(tmp_path / 'a.npz', real.images)
  values(['x', f'--synthetic={path}', f'--report={tmp_path / "out"}', flag])
  with pytest.raises((ValueError, OSError), match=message):
    program.evaluate(values)
  assert not (tmp_path / 'out').exists()


@pytest.mark.long
def test_the_command(tmp_path, real):
  out, path = tmp_path / 'out', npz(tmp_path / 'a.npz', real.images[:200])
  whole = npz(tmp_path / 'real.npz', data.mnist5k('train').images[::8])
  done = subprocess.run(
      [sys.executable, 'experiments/evaluate.py', f'--real={whole}', f'--synthetic={path}',
       f'--report={out}', '--blind=10'], cwd=ROOT, text=True, capture_output=True)
  assert done.returncode == 0, done.stderr
  assert 'Traceback' not in done.stderr and done.stdout.splitlines()[-1].startswith('done: ')
  assert sorted(p.name for p in out.iterdir()) == ['blind.html', 'report.html', 'scores.json']
  record = json.loads((out / 'scores.json').read_text())
  assert Protocol(**record['scores']['kernel']['protocol']).n_fake == 200
  assert record['scores']['frechet']['protocol']['score'] == 'frechet_random_conv_0'
  assert record['flags']['dataset'] == str(whole) and record['flags']['real_split'] is None
  assert all(f'{name} ' in done.stdout for name in record['scores'])
