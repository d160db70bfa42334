"""Labels are positions in a list of names: names travel, and are what is compared."""
import json
import logging

import downstream as downstream_program
import numpy as np
from PIL import Image
import prepared
import programs
import pytest
import tiny

from common import experiments
from jaxsynth import data, downstream, evaluation, quality
from jaxsynth.data import analysis, classes, fingerprint
from jaxsynth.data.examples import aligned, Examples
from jaxsynth.evaluation import class_scores, embedded
from jaxsynth.evaluation.cards import Cards
from jaxsynth.kinds import image_kind
from jaxsynth.metrics import features
from jaxsynth.quality import labeller as labellers
from jaxsynth.runs import record as records
from jaxsynth.synthesis import draw, engine, image_folder, metadata, plan, records as record_files

IMAGES = np.random.default_rng(0).integers(0, 256, (240, 4, 4, 1), np.uint8)


@pytest.fixture
def said(monkeypatch):
  """What the log says."""
  lines = []
  classes._warn.cache_clear()
  monkeypatch.setattr(logging.getLogger('absl'), 'handle', lambda x: lines.append(x.getMessage()))
  return lines


def folder(root, *names, each=2, start=0):
  """A folder of classes; every image is another one."""
  for k, name in enumerate(names):
    (root / name).mkdir(parents=True)
    for i in range(each):
      Image.fromarray(IMAGES[start + k * each + i, ..., 0]).save(root / name / f'{i}.png')
  return str(root)


def examples(name, labels, names=None, start=0):
  labels = np.asarray(labels, np.int32)
  return Examples(name, IMAGES[start:start + len(labels)], labels, names)


# what a set's classes are

def test_folders_called_by_numbers_are_in_their_order(tmp_path):
  source = data.open_dataset(data.DatasetSpec(folder(tmp_path, *map(str, range(12)))))
  assert source.class_names is None or source.class_names == tuple(map(str, range(12)))
  np.testing.assert_array_equal(source.images[source.labels == 2], IMAGES[4:6])
  np.testing.assert_array_equal(source.images[source.labels == 11], IMAGES[22:24])


def test_labels_that_do_not_occur_are_no_classes_and_gaps_are_said(tmp_path, said):
  np.savez(tmp_path / 'x.npz', images=IMAGES[:6], labels=[3, 1, 2, 3, 1, 1])
  source = data.open_dataset(data.DatasetSpec(str(tmp_path / 'x.npz')))
  assert (source.num_classes, source.class_names) == (3, ('1', '2', '3'))
  assert source.labels.tolist() == [2, 0, 1, 2, 0, 0]
  assert said == ['x.npz: of the labels 0 to 3 only 1, 2, 3 occur; its classes are these 3, called '
                  'by these numbers']
  wide = data.ArraySource.of(IMAGES[:3], [9999, 0, 5])
  assert (wide.num_classes, wide.class_names) == (3, ('0', '5', '9999')) and len(said) == 2
  raw = analysis.raw_npz(tmp_path / 'x.npz')
  assert (raw.labels.tolist(), raw.class_names) == (source.labels.tolist(), source.class_names)
  assert data.ArraySource.of(IMAGES[:3], [2, 0, 1]).class_names is None and len(said) == 2


def test_the_record_of_a_run_has_the_map(tmp_path):
  import jax
  source = data.ArraySource.of(IMAGES[:2], [1, 3], name='x.npz')
  record = records.record('mnist_dcgan', {}, source, jax.devices()[:1])
  assert record['data']['class_names'] == ['1', '3'] and record['data']['num_classes'] == 2
  assert records.class_names(record) == ('1', '3')
  before = json.loads(json.dumps(record))
  del before['data']['class_names']  # as older versions wrote it: it goes on
  records.check_same_run(before, record, {})
  assert records.class_names(before) == ('0', '1')
  with pytest.raises(records.RunError, match="data class_names: .'a', 'b'. before"):
    before['data']['class_names'] = ['a', 'b']
    records.check_same_run(before, record, {})


def test_a_run_of_before_keeps_the_numbers_that_it_was_trained_on(tmp_path):
  np.savez(tmp_path / 'x.npz', images=IMAGES[:4], labels=[1, 3, 1, 3])
  kinds = prepared.KINDS
  prepared.write(tmp_path, {'image': kinds.Image(shape=(4, 4, 1)),
                            'label': kinds.ClassLabel(num_classes=4)},
                 [{'image': prepared.png(IMAGES[i, ..., 0]), 'label': 3} for i in range(5)])
  twelve = folder(tmp_path / 'twelve', *map(str, range(12)))
  as_texts = sorted(map(str, range(12)))
  order = [2 * int(name) + i for name in as_texts for i in range(2)]
  for spec, images, labels, n, names in (
      (data.DatasetSpec(str(tmp_path / 'x.npz')), IMAGES[:4], [1, 3, 1, 3], 4, '0123'),
      (data.DatasetSpec('birds', data_dir=str(tmp_path)), IMAGES[:5], [3] * 5, 4, '0123'),
      (data.DatasetSpec(twelve), IMAGES[order], np.repeat(range(12), 2), 12, as_texts)):
    before = data.ArraySource(images, np.array(labels, np.int32), n, 'before')
    stored = {'data': {'num_classes': n, 'digest': fingerprint.digest(before)}}
    for _ in range(2):
      source = records.open_data(spec, stored)
      np.testing.assert_array_equal(source.labels, labels)
      np.testing.assert_array_equal(source.images, images)
      assert source.num_classes == n and classes.names_of(source) == tuple(names)
      stored['data']['class_names'] = list(names)  # once it has gone on
    for today in (None, {'data': {'digest': 'another'}}):
      assert list(records.open_data(spec, today).labels) != list(labels) or spec.dataset == twelve
      assert classes.names_of(records.open_data(spec, today)) != tuple(names)


def test_names_in_a_file_of_arrays(tmp_path):
  np.savez(tmp_path / 'x.npz', images=IMAGES[:3], labels=[2, 0, 2],
           class_names=['cat', 'dog', 'fox'])
  source = data.npz(tmp_path / 'x.npz')
  assert (source.num_classes, source.class_names) == (3, ('cat', 'dog', 'fox'))
  opened = data.open_dataset(data.DatasetSpec(str(tmp_path / 'x.npz')))
  assert (opened.labels.tolist(), opened.class_names) == ([1, 0, 1], ('cat', 'fox'))
  for names, message in ((['a', 'b'], r'expected \[0, 2\)'), (['a', 'b', 'a'], 'each name once'),
                         ([1, 2, 3], "'class_names' is int64.3., expected texts")):
    np.savez(tmp_path / 'y.npz', images=IMAGES[:3], labels=[2, 0, 2], class_names=names)
    with pytest.raises(ValueError, match=message):
      data.npz(tmp_path / 'y.npz')


def test_names_of_a_prepared_set_and_classes_without_examples(tmp_path, said):
  kinds = prepared.KINDS
  prepared.write(
      tmp_path, {'image': kinds.Image(shape=(4, 4, 1)),
                 'label': kinds.ClassLabel(names=['cat', 'dog', 'fox'])},
      [{'image': prepared.png(IMAGES[i, ..., 0]), 'label': y} for i, y in enumerate(
          [2, 0, 2, 0, 2])])
  spec = data.DatasetSpec('birds', data_dir=str(tmp_path))
  assert data.tfds_source('birds', 'train', tmp_path).class_names == ('cat', 'dog', 'fox')
  source = data.open_dataset(spec)
  assert (source.labels.tolist(), source.class_names) == ([1, 0, 1, 0, 1], ('cat', 'fox'))
  assert said == ['birds: no examples of dog; its classes are the other 2']


# sets that are compared

def test_a_set_that_lacks_classes_keeps_the_numbers_of_the_others():
  some, whole = examples('some', [0, 1, 1], ('0', '7')), examples('whole', range(8))
  (a, b), names = aligned(some, whole)
  assert a.labels.tolist() == [0, 7, 7] and names == tuple('01234567')
  assert b.labels.tolist() == list(range(8))
  # nobody has named them: positions among names, which is said
  (a, _), names = aligned(some, examples('named', range(8), tuple('abcdefgh')))
  assert a.labels.tolist() == [0, 7, 7] and names == tuple('abcdefgh')
  # in the order that is asked for, whoever has more
  (a,), _ = aligned(examples('x', [0, 1], ('b', 'a')), names=('a', 'b', 'c'))
  assert a.labels.tolist() == [1, 0]
  with pytest.raises(ValueError, match='of train and held do not fit: train has a; held has a, b'):
    aligned(examples('held', [0, 1], ('a', 'b')), names=('a',), whose='train')


def test_positions_among_names_are_said(said):
  aligned(examples('run', [0, 1]), examples('train', [0, 1, 2], ('cat', 'dog', 'fox')))
  assert said == ['run: its classes 0, 1 have no names; they are taken for positions among those '
                  'of train: cat, dog, fox']


def test_a_synthetic_set_of_two_classes_is_judged_by_their_names(tmp_path):
  """Perfect images of the classes 0 and 7, as `--format=folder --labels=0:1,7:3` leaves them."""
  real, train = data.mnist5k('test'), data.mnist5k('train')
  for name in ('0', '7'):
    (tmp_path / name).mkdir()
    for i, image in enumerate(train.images[train.labels == int(name)][:60]):
      Image.fromarray(image[..., 0]).save(tmp_path / name / f'{i:03d}.png')
  synthetic = evaluation.read_synthetic(tmp_path)
  agreement = []
  for keep in (np.arange(500), np.flatnonzero(np.isin(real.labels, (0, 7)))):
    kept = Examples('test', real.images[keep], real.labels[keep])
    other = Examples('more', *(x[np.isin(train.labels, np.unique(kept.labels))]
                               for x in (train.images, train.labels)))
    comparison = evaluation.compare(synthetic, kept, other=other)
    assert [comparison.class_names[k] for k in np.unique(comparison.synthetic.labels)] == ['0', '7']
    features_ = embedded.embed(comparison, features.pixels(), True)
    scores = class_scores.classifier_scores(comparison, features_.logits,
                                            Cards(comparison, features_.net))
    agreement.append(scores['label_agreement'].value)
  assert min(agreement) > .97


def test_a_test_set_of_other_classes_is_no_test(tmp_path):
  train = folder(tmp_path / 'train', 'cat', 'dog', 'fox', each=20)
  test = folder(tmp_path / 'test', 'cat', 'fox', 'owl', each=20, start=120)
  np.savez(tmp_path / 'synthetic.npz', images=IMAGES[180:], labels=np.arange(60) % 3,
           class_names=['cat', 'dog', 'fox'])
  message = programs.refused(
      downstream_program, f'--real={train}', f'--train_split={train}', f'--real_split={test}',
      f'--synthetic={tmp_path / "synthetic.npz"}', f'--report={tmp_path / "out"}', '--num=100')
  assert ('the classes of train and test do not fit: train has cat, dog, fox; test has cat, fox, '
          'owl') in message


def test_a_test_set_may_lack_a_class():
  names = ('cat', 'dog', 'fox')
  train = examples('train', [0, 1, 2] * 4, names)
  test = examples('test', [0, 1, 1], ('cat', 'fox'), 20)
  synthetic = examples('synthetic', [0, 1, 2] * 4, ('fox', 'dog', 'cat'), 40)
  sets, order = downstream.studies._checked(train, test, synthetic, None)
  assert order == ['cat', 'dog', 'fox'] and sets[1].labels.tolist() == [0, 2, 2]
  assert sets[2].labels[:3].tolist() == [2, 1, 0]


def test_an_analysis_holds_fox_against_fox():
  """The second set has no dog; its foxes are dark, and the others as they are."""
  random = np.random.default_rng(1)
  images = random.integers(100, 256, (150, 4, 4, 1), np.uint8)
  other = random.integers(100, 256, (100, 4, 4, 1), np.uint8)
  other[50:] //= 4
  first = data.ArraySource.of(images, np.repeat([0, 1, 2], 50), class_names=('cat', 'dog', 'fox'))
  second = data.ArraySource.of(other, np.repeat([0, 1], 50), class_names=('cat', 'fox'))
  result = analysis.analyze({'train': first, 'test': second})
  by_class = result.against[0].numbers['classes']
  assert by_class['names'] == ('cat', 'dog', 'fox') and np.isnan(by_class['energy'][1])
  assert by_class['energy'][2] > 5 * abs(by_class['energy'][0])
  texts = [(f.where, f.text) for f in result.findings if f.kind in ('missing classes',
                                                                    'class drift')]
  assert ('test', 'no examples of dog, which train has') in texts
  assert any('1 class (fox) of 2 moved from train' in text for _, text in texts)
  owls = data.ArraySource.of(other, np.repeat([0, 1], 50), class_names=('cat', 'owl'))
  with pytest.raises(ValueError, match='train has cat, dog, fox; test has cat, owl'):
    analysis.analyze({'train': first, 'test': owls})


def test_images_held_out_have_the_labels_of_the_run(tmp_path):
  run = tiny.workdir(tmp_path / 'run', '--conditional')
  held = data.mnist5k('validation')
  some = np.isin(held.labels, (5, 7))
  np.savez(tmp_path / 'held.npz', images=np.tile(held.images[some], (2, 1, 1, 1)),
           labels=np.tile(held.labels[some], 2))
  real = quality.read_real(experiments.load(run), quality.Selection(filters=('classifier',)),
                           validation_split=str(tmp_path / 'held.npz'), features_name='pixels')
  assert np.unique(real.held_out.labels).tolist() == [5, 7]


# sets that are written

def stream(start, stop):
  labels = np.arange(start, stop, dtype=np.int32) % 2 * 2
  yield draw.Piece(start, {'image': IMAGES[start:stop], 'label': labels})


def test_names_are_written_and_read_back(tmp_path):
  """Three classes, the second without an image."""
  (shard,) = plan.shards({'train': 20}, 1, 20)
  names = ('cat', 'dog: big', 'fox')
  about = metadata.About('pets', '1.0.0', image_kind.images((4, 4, 1), 3, names))
  place = tmp_path / 'pets/1.0.0'
  place.mkdir(parents=True)
  form = record_files.array_record(place, about)
  engine.write(stream, [shard], form)
  assert engine.finish([shard], form)
  assert data.tfds_source('pets', 'train', tmp_path).class_names == names
  (tmp_path / 'folder').mkdir()
  form = image_folder.image_folder(tmp_path / 'folder', 3, [1, 0, 1], class_names=names)
  engine.write(stream, [shard], form)
  assert engine.finish([shard], form)
  source = data.in_memory(data.folder(tmp_path / 'folder/train'))
  assert source.class_names == ('cat', 'fox')
  np.testing.assert_array_equal(source.images[source.labels == 1], IMAGES[1:20:2])
  for bad in ('a/b', '.cat', '..', ''):
    with pytest.raises(ValueError, match='cannot be a folder of that name; write array_record'):
      image_folder.image_folder(tmp_path, 2, class_names=('cat', bad))


def test_shares_are_asked_for_by_name():
  assert quality.parse_shares('dog:3,cat:1', ('cat', 'dog', 'fox')) == [1, 3, 0]
  assert quality.parse_shares('3:1', ('1', '2', '3')) == [0, 0, 1]
  assert quality.parse_shares('0:1,2:3', ('cat', 'dog', 'fox')) == [1, 0, 3]
  assert quality.parse_shares('a:b:2', ('a:b', 'c')) == [2, 0]
  for text in ('0:1', 'owl:1'):
    with pytest.raises(ValueError, match='some classes as 1:1,3:3; the classes are 1, 2, 3'):
      quality.parse_shares(text, ('1', '2', '3'))


def test_a_classifier_is_of_its_classes_in_their_order(tmp_path):
  source = data.ArraySource.of(IMAGES[:8], np.arange(8) % 2, class_names=('cat', 'dog'))
  made = labellers.train_labeller(source, 0, steps=1)
  labellers.save_labeller(tmp_path / 'x.npz', made)
  load = lambda *names: labellers.load_labeller(tmp_path / 'x.npz', (4, 4, 1), 2, names)
  assert load('cat', 'dog').digest == made.digest
  with pytest.raises(ValueError, match='of the classes cat, dog in this order, expected dog, cat'):
    load('dog', 'cat')


def test_what_was_begun_before_names_were_kept_goes_on(tmp_path):
  settings = {'seed': 0}
  metadata.claim(tmp_path, settings)
  metadata.claim(tmp_path, {**settings, 'class_names': ['a']})
  with pytest.raises(metadata.OtherSettings, match='seed: 0 there, 1 now'):
    metadata.claim(tmp_path, {'seed': 1, 'class_names': ['a']})
  metadata.claim(tmp_path / 'new', {**settings, 'class_names': ['a']})
  with pytest.raises(metadata.OtherSettings, match="class_names: .'a'. there, .'b'. now"):
    metadata.claim(tmp_path / 'new', {**settings, 'class_names': ['b']})
