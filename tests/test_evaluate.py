"""Is this data any good: every kind of set, floors, planted faults, the page."""
import json
import pathlib
import re
import subprocess
import sys

import evaluate_page
import evaluate_record
import evaluate_scores
import evaluate_sets
import numpy as np
from PIL import Image
import pytest
import test_tfds_source
import tiny

from jaxsynth import data, report
from jaxsynth.metrics import features
from jaxsynth.metrics.protocol import Protocol, ProtocolError, Scored, difference

ROOT = pathlib.Path(__file__).parent.parent
CONFIG = {
    'dataset': 'mnist5k', 'data_dir': None, 'image_key': 'image', 'label_key': 'label',
    'image_size': None, 'channels': None, 'fit': 'crop', 'synthetic_split': None, 'num': None,
    'step': None, 'features': 'auto', 'blind': 0, 'seed': 0}


def npz(path, images, labels=None):
  np.savez(path, images=images, **({} if labels is None else {'labels': labels}))
  return path


def read(path, **flags):
  return evaluate_sets.read({**CONFIG, 'synthetic': str(path), **flags})


def blurred(images):
  x = images.astype(np.float32)
  for axis in (1, 2):
    x = (np.roll(x, 1, axis) + x + np.roll(x, -1, axis)) / 3
  return np.rint(x).astype(np.uint8)


@pytest.fixture(scope='module')
def real():
  return data.mnist5k('validation')


@pytest.fixture(scope='module')
def measured(tmp_path_factory, real):
  """Fresh real images as if they were synthetic, and the same with faults."""
  folder, found = tmp_path_factory.mktemp('sets'), {}
  kept = real.labels < 5
  faults = {'fresh': (real.images, real.labels), 'blurred': (blurred(real.images), real.labels),
            'few': (np.tile(real.images[kept], (2, 1, 1, 1)), np.tile(real.labels[kept], 2)),
            'copied': (data.mnist5k('train').images[::8], data.mnist5k('train').labels[::8])}
  for name, (images, labels) in faults.items():
    sets = read(npz(folder / f'{name}.npz', images, labels), validation_split='')
    found[name] = sets, evaluate_scores.measure(sets, features.mnist(), True)
  return found


def values(measured, name):
  return {key: s.value for key, s in measured[name][1].scores.items()}


def test_fresh_real_images_score_as_the_floor(measured):
  sets, found = measured['fresh']
  assert not found.absent and len(found.scores) == len(evaluate_record.MEANINGS)
  marks = {n: evaluate_record.mark(n, s, found.details) for n, s in found.scores.items()}
  assert 'bad' not in marks.values(), marks
  s = found.scores
  assert s['frechet'].value == pytest.approx(s['frechet'].floor, rel=.5)
  assert s['precision'].value == pytest.approx(s['precision'].floor, abs=.1)
  assert len(sets.other.images) == len(sets.fake.images) == 500


def test_planted_faults_score_worse(measured):
  fresh, blur, few, copied = (values(measured, n) for n in ('fresh', 'blurred', 'few', 'copied'))
  for name in ('frechet', 'kernel', 'pixel_ks', 'pixel_variance'):
    assert blur[name] > 2 * fresh[name], name
  assert few['coverage'] < .7 * fresh['coverage'] and few['frechet'] > 3 * fresh['frechet']
  assert few['duplicates'] == 1 and fresh['duplicates'] == 0
  assert few['class_balance'] == .5
  balance = measured['few'][1].details['balance']
  assert balance['missing'] == [5, 6, 7, 8, 9]
  assert copied['near_copies'] == 1 and fresh['near_copies'] < .1
  exact = {n: found.details['memorisation']['exact_copies'] for n, (_, found) in measured.items()}
  assert exact == {'fresh': 0, 'blurred': 0, 'few': 0, 'copied': 500}
  assert copied['nearer_to_train'] == 1 and copied['data_copying'] < -10
  marks = {n: evaluate_record.mark(n, s, measured['copied'][1].details)
           for n, s in measured['copied'][1].scores.items()}
  assert {n for n in marks if marks[n] == 'bad'} >= {
      'nearer_to_train', 'data_copying', 'authenticity', 'near_copies'}


def test_the_record_holds_every_score_with_its_floor_and_protocol(measured):
  sets, found = measured['few']
  text = json.dumps(evaluate_record.record(sets, found, CONFIG), allow_nan=False)
  record = json.loads(text)
  for name, row in record['scores'].items():
    scored = Scored.from_json(json.dumps(row))
    assert scored == found.scores[name] and np.isfinite(scored.floor)
  assert record['scores']['frechet']['protocol']['score'] == 'frechet_mnist'
  assert record['scores']['frechet']['protocol']['split'] == 'mnist5k/test'
  assert [row['synthetic'] for row in record['classes']] == [100] * 5 + [0] * 5
  assert record['classes'][7]['precision'] is None


def test_scores_of_other_protocols_do_not_compare(measured):
  sets, found = measured['fresh']
  fewer = sets._replace(fake=sets.fake.take(np.arange(300)), other=sets.other.take(np.arange(300)))
  v = evaluate_scores.vectors(fewer, features.mnist(), False)
  other = evaluate_scores.distances(v, evaluate_scores.Card(fewer, v.net))['frechet']
  with pytest.raises(ProtocolError, match='n_fake: 500 and 300'):
    difference(found.scores['frechet'], other)


def test_the_page_escapes_names_and_draws_the_run(measured):
  sets, found = measured['few']
  evil = '<script>alert(1)</script>'
  sets = sets._replace(fake=sets.fake._replace(name=evil), classes=[evil] + sets.classes[1:])
  rows = [{'step': k, 'frechet': 9. / k, 'frechet_floor': 1., 'precision': .5, 'recall': .5,
           'coverage': .5} for k in (1, 2)]
  text = report.render(evaluate_page.page(sets, found, rows))
  assert '<script' not in text and '&lt;script&gt;' in text
  assert not re.search(r'(src|href)="(?!data:|#)|url\((?!#)', text)
  for part in ('Samples', 'Classes', 'Best and worst', 'Memory', 'Training', 'step 2'):
    assert part in text
  assert 'No synthetic image of class 5, 6, 7, 8, 9' in text


def test_every_kind_of_path(tmp_path, real, monkeypatch):
  images, labels = real.images[::4], real.labels[::4]
  for i, (image, label) in enumerate(zip(images, labels)):
    path = tmp_path / f'folder/{label}/{i:03d}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image[..., 0]).save(path)
  kinds = test_tfds_source.KINDS
  test_tfds_source.write(
      tmp_path, {'image': kinds.Image(shape=(28, 28, 1)),
                 'label': kinds.ClassLabel(num_classes=10)},
      [{'image': test_tfds_source.png(x[..., 0]), 'label': y} for x, y in zip(images, labels)],
      name='prepared')
  run = tiny.workdir(tmp_path / 'run', '--conditional')
  of = lambda path, **flags: evaluate_sets.synthetic({**CONFIG, 'synthetic': str(path), **flags})
  for path in (npz(tmp_path / 'a.npz', images, labels), tmp_path / 'prepared',
               tmp_path / 'prepared/1.0.0'):
    found, num_classes, _ = of(path)
    np.testing.assert_array_equal(found.images, images)
    np.testing.assert_array_equal(found.labels, labels)
    assert found.name == ('a.npz' if path.suffix == '.npz' else 'prepared')
  folder, num_classes, about = of(tmp_path / 'folder', num=100)
  assert len(folder.images) == 100 and num_classes == 10 and about['kind'] == 'folder'
  drawn, classes, about = of(run, num=110)
  assert drawn.images.shape == (110, 28, 28, 1) and drawn.labels[:3].tolist() == [0, 1, 2]
  npz(run / 'synthetic.npz', drawn.images[:105], drawn.labels[:105])
  assert of(run)[2]['kind'] == 'synthetic.npz of a run' and len(of(run)[0].images) == 105
  np.testing.assert_array_equal(of(run, num=110)[0].images, drawn.images)
  np.testing.assert_array_equal(of(run, num=100, step='3')[0].images, drawn.images[:100])
  with pytest.raises(FileNotFoundError, match='no checkpoint with a score'):
    of(run, step='best')


def test_without_splits_or_labels_what_can_be_said_is_said(tmp_path, real):
  whole = npz(tmp_path / 'real.npz', data.mnist5k('train').images[:600])
  sets = read(npz(tmp_path / 'a.npz', real.images), dataset=str(whole))
  assert sets.train is None and len(sets.real.images) == len(sets.other.images) == 300
  found = evaluate_scores.measure(sets, features.random_conv(1), False)
  assert set(found.absent) == {'classifier', 'label_agreement', 'class_balance', 'classes',
                               'nearer_to_train', 'data_copying', 'authenticity', 'near_copies'}
  assert found.scores['frechet'].protocol.score == 'frechet_random_conv_0'
  text = report.render(evaluate_page.page(sets, found, []))
  assert 'Not applicable' in text and 'no training set' in text


def test_a_floor_without_labels_leaves_classes_out(tmp_path, real):
  train = npz(tmp_path / 'train.npz', data.mnist5k('train').images[::8])
  sets = read(npz(tmp_path / 'a.npz', real.images, real.labels), train_split=str(train),
              validation_split='')
  assert sets.real.labels is not None and sets.other.labels is None
  found = evaluate_scores.measure(sets, features.random_conv(1), False)
  assert found.absent['classes'] == "the floor's images have no labels" and not found.classes


def test_half_a_line_of_scores_is_no_line(tmp_path):
  assert evaluate_sets.scores_of(tmp_path) == []
  (tmp_path / 'scores.jsonl').write_text('{"step": 1}\n{"step": 2}\n{"st')
  assert evaluate_sets.scores_of(tmp_path) == [{'step': 1}, {'step': 2}]


@pytest.mark.parametrize('images, flags, message', [
    (np.full((120, 28, 28, 1), np.nan), {}, '120 of 120 images are not finite'),
    (np.full((120, 28, 28, 1), 3.), {}, 'expected \\[-1, 1\\]'),
    (np.zeros((120, 28, 28, 1), np.int64), {}, 'dtype int64'),
    (np.zeros((120, 32, 28, 3), np.uint8), {}, '\\[32, 28, 3\\], the real ones'),
    (np.zeros((99, 28, 28, 1), np.uint8), {}, '99 examples, expected at least 100'),
    (np.zeros((120, 28, 28, 1), np.uint8), {'train_split': 'test'}, 'are in mnist5k/test too'),
    (np.zeros((120, 28, 28, 1), np.uint8), {'real_split': 'tset'}, "split 'tset'"),
    (np.zeros((120, 28, 28, 1), np.uint8), {'dataset': 'none.npz'}, 'no such file')])
def test_bad_sets_are_refused(tmp_path, images, flags, message):
  with pytest.raises((ValueError, OSError), match=message):
    read(npz(tmp_path / 'a.npz', images), **flags)


def test_a_reference_without_a_class_is_refused(tmp_path, real):
  keep = real.labels != 3
  part = npz(tmp_path / 'real.npz', real.images[keep], real.labels[keep])
  with pytest.raises(ValueError, match='no examples of class \\[3\\]'):
    read(npz(tmp_path / 'a.npz', real.images, real.labels), dataset=str(part))


def test_the_command(tmp_path, real):
  run = lambda *flags: subprocess.run(
      [sys.executable, 'experiments/evaluate.py', '--real=mnist5k', *flags], cwd=ROOT, text=True,
      capture_output=True)
  out = tmp_path / 'out'
  done = run(f'--synthetic={tmp_path / "none"}', f'--report={out}')
  assert done.returncode and 'nothing there' in done.stderr + done.stdout
  assert 'Traceback' not in done.stderr and not out.exists()
  path = npz(tmp_path / 'a.npz', real.images[:200])
  done = run(f'--synthetic={path}', f'--report={out}', '--blind=10')
  assert done.returncode == 0, done.stderr
  assert sorted(p.name for p in out.iterdir()) == ['blind.html', 'report.html', 'scores.json']
  record = json.loads((out / 'scores.json').read_text())
  assert Protocol(**record['scores']['kernel']['protocol']).n_fake == 200
  assert record['not_applicable'] == {'label_agreement': 'the synthetic images have no labels'}
