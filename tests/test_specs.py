"""Data sets by name: what a name means, which split has which role, and what tells sets apart."""
import hashlib

import numpy as np
import pytest

from jaxsynth import data
from jaxsynth.data import classes, examples, fingerprint, opening, roles, spec as specs
from jaxsynth.data.examples import Examples
from jaxsynth.data.roles import Roles

DIGITS = data.DatasetSpec()


def test_the_kind_of_a_name(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for name in ('birds', 'a/b', 'made/1.0.0'):
    (tmp_path / name).mkdir(parents=True)
  (tmp_path / 'made/1.0.0/dataset_info.json').write_text('{}')
  for name, want, with_dir in (
      ('mnist5k', 'mnist5k', 'mnist5k'), ('./mnist5k', 'folder', 'folder'),
      ('x.npz', 'npz', 'npz'), ('a/x.npz', 'npz', 'npz'),
      ('birds', 'folder', 'tfds'), ('./birds', 'folder', 'folder'),
      ('birds/', 'folder', 'folder'), ('~/birds', 'folder', 'folder'),
      ('../birds', 'folder', 'folder'), (str(tmp_path), 'folder', 'folder'),
      ('a/b', 'folder', 'folder'), ('no/thing', 'folder', 'folder'), ('.', 'folder', 'folder'),
      ('mnist', 'tfds', 'tfds'), ('mnist:3.0.1', 'tfds', 'tfds'),
      ('made/1.0.0', 'tfds', 'tfds'), ('./made/1.0.0', 'tfds', 'tfds')):
    spec = data.DatasetSpec(name)
    assert (spec.kind, spec._replace(data_dir='/data').kind) == (want, with_dir), name


def test_the_title_of_a_set(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'made/1.0.0').mkdir(parents=True)
  (tmp_path / 'made/1.0.0/dataset_info.json').write_text('{}')
  for name, want in (('mnist', 'mnist'), ('a/b/', 'b'), ('.', tmp_path.name), ('x.npz', 'x.npz'),
                     ('made/1.0.0', 'made')):
    assert data.DatasetSpec(name).title == want


def test_what_stands_where_a_split_may(tmp_path, monkeypatch):
  """A folder called as a split is one only if written as a path."""
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'test').mkdir()
  spec = data.DatasetSpec('mnist', 'train[:9]', '/data', image_size=(9, 9))
  assert spec.of_split('test') == spec._replace(split='test')
  assert spec.of_split('test[5%:]').dataset == 'mnist'
  for path in ('./test', 'a.npz', '/test'):
    assert spec.of_split(path) == data.DatasetSpec(path, 'train', None, image_size=(9, 9))
  with pytest.raises(ValueError, match='./test has no splits; expected a folder, as ./test'):
    spec._replace(dataset='./test').of_split('test')


def test_a_records_flags_are_a_spec():
  flags = {'dataset': 'x', 'split': None, 'label_key': '', 'image_size': [3, 4], 'seed': 9}
  assert data.DatasetSpec.of(flags) == data.DatasetSpec('x', None, label_key=None,
                                                        image_size=(3, 4))


def test_raw_images_keep_their_own_shape():
  small = DIGITS._replace(split='test', image_size=(9, 8))
  assert data.open_dataset(small).image_shape == (9, 8, 1)
  assert opening.open_raw(small).image_shape == (28, 28, 1)


def test_splits_and_classes_of_sets_without_any(tmp_path):
  np.savez(tmp_path / 'x.npz', images=np.zeros((3, 4, 4, 1), np.uint8))
  spec = data.DatasetSpec(str(tmp_path / 'x.npz'))
  assert specs.split_names(spec) == () and classes.names_of(data.open_dataset(spec)) == ()
  assert specs.credit(spec) is None
  assert specs.are_digits(DIGITS) and not specs.are_digits(spec)
  with pytest.raises(ValueError, match='--split=test: .*x.npz has no splits; expected train'):
    data.open_dataset(spec._replace(split='test'))


@pytest.mark.parametrize('given, want', [
    ({}, Roles('train', 'validation', 'test')),
    ({'train': 'train'}, Roles('train', 'validation', 'test')),
    # a split has one role
    ({'test': 'validation'}, Roles('train', None, 'validation')),
    ({'test': 'train'}, Roles(None, 'validation', 'train')),
    ({'train': '', 'validation': ''}, Roles(None, None, 'test')),
    # what is given is taken, twice too
    ({'train': 'test', 'test': 'test'}, Roles('test', 'validation', 'test')),
    ({'validation': './other'}, Roles('train', './other', 'test'))])
def test_roles_of_splits(given, want):
  assert roles.roles(DIGITS, **given) == want


def fake_splits(monkeypatch, *names):
  monkeypatch.setattr(roles, 'split_names', lambda spec: names)


def test_a_set_of_two_splits(monkeypatch):
  """The part of a slice that is left is held out; and of MNIST, which all cut so, by default."""
  fake_splits(monkeypatch, 'train', 'test')
  mnist, other = data.DatasetSpec('mnist'), data.DatasetSpec('other', 'train[:80%]')
  assert roles.roles(mnist) == Roles('train[:55000]', 'train[55000:]', 'test')
  assert roles.roles(mnist, train='train[:500]') == Roles('train[:500]', 'train[500:]', 'test')
  assert roles.roles(mnist, train='train') == Roles('train', None, 'test')
  assert roles.roles(other) == Roles('train', None, 'test')
  assert roles.held_out(other) == 'train[80%:]'
  with pytest.raises(ValueError, match='trained on train of other: name real images that it has '
                     'not seen by --validation_split'):
    roles.held_out(other._replace(split='train'))


def test_a_set_of_one_split_is_tested_on(monkeypatch):
  fake_splits(monkeypatch, 'train')
  assert roles.roles(data.DatasetSpec('other')) == Roles(None, None, 'train')
  assert roles.roles(data.DatasetSpec('other'), test='') == Roles('train', None, None)


def test_what_is_trained_on_has_no_other_role():
  for given in ({'test': 'train'}, {'validation': 'train'}):
    with pytest.raises(ValueError, match='--split=train is trained on'):
      roles.roles_beside(DIGITS, **given)
  chosen = roles.roles_beside(DIGITS)
  by_role = roles.specs_of(DIGITS, chosen)
  assert {role: spec.split for role, spec in by_role.items()} == chosen._asdict()


def test_examples_that_two_sets_share():
  """400 images, image i of the bytes i % 256 and i // 256: no two alike."""
  n = np.arange(400)
  images = np.stack([n % 256, n // 256], -1).astype(np.uint8).reshape(400, 1, 2, 1)
  every = Examples('reference', images, n.astype(np.int32))
  part = every.take(np.array([7, 0, 7]))
  assert part.labels.tolist() == [7, 0, 7] and part.name == 'reference'
  assert len(set(examples.image_digests(every))) == 400
  assert examples.count_shared(part, every) == 3 and examples.count_shared(every, part) == 2
  examples.check_disjoint(every, Examples('train', images[:4]))  # one in a hundred may be
  with pytest.raises(ValueError, match='5 of 400 images of reference are in train too'):
    examples.check_disjoint(every, Examples('train', images[:5]))


def test_positions_are_of_their_seed():
  assert sorted(examples.shuffled(50, 3)) == list(range(50))
  assert (examples.shuffled(50, 3) == examples.shuffled(50, 3)).all()
  assert (examples.shuffled(50, 3) != examples.shuffled(50, 4)).any()
  few = examples.random_positions(50, 9, 3)
  assert len(set(few)) == 9 and (np.diff(few) > 0).all()
  assert set(few) == set(examples.shuffled(50, 3)[:9])


def test_a_fingerprint_by_hand():
  """Two images of two pixels: 0, 2 and 4, 6; mean 3, variance (9 + 1 + 1 + 9) / 4 = 5."""
  images = np.array([0, 2, 4, 6], np.uint8).reshape(2, 1, 2, 1)
  source = data.ArraySource.of(images, np.array([1, 0], np.int32))
  got = fingerprint.fingerprint(source)
  sha = hashlib.sha256(b'1x2x1:1\n\x00\x02' + b'1x2x1:0\n\x04\x06').hexdigest()
  assert got == {'size': 2, 'shapes': {'1x2x1': 2}, 'classes': [1, 1], 'least': 0, 'greatest': 6,
                 'mean': 3., 'deviation': pytest.approx(5 ** .5), 'zero': .25, 'sha256': sha}
  # 64 positions from first to last, of the images and of the labels
  spread = np.linspace(0, 1, 64).astype(np.int64)
  want = hashlib.sha256(images[spread].tobytes() + np.array([1, 0], np.int32)[spread].tobytes())
  assert fingerprint.digest(source) == want.hexdigest()
