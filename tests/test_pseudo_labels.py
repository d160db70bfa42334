"""Labels by a classifier: of any stream, and of data sets as a user makes them."""
import json
import shutil

import jax
import jax.numpy as jnp
import judge
import numpy as np
import pseudo
import pytest
import tiny
from tiny import contents, synthesize

from jaxsynth import data
from jaxsynth.synthesis import pseudo_labels, streamer

FLAGS = ['--num=240', '--shards=4', '--block=20', '--score_num=200']


def noise(params, variables, keys, cond):
  return jax.vmap(lambda key: jax.random.uniform(key, (2, 2, 1), minval=-1.))(keys)


def quarters(weights, images):
  """The quarter of [-1, 1] that the mean is in, scaled."""
  edges = jnp.array([[-.2, 0., .2]]) * weights
  at = (images.mean((1, 2, 3))[:, None] > edges).sum(1)
  return jax.nn.one_hot(at, 4)


@pytest.mark.parametrize('shares, block, devices', [(4, 8, 1), (4, 3, 2), (None, 8, 4)])
def test_each_image_gets_what_the_classifier_says_of_it(shares, block, devices,
                                                            monkeypatch):
  inner = streamer(noise, {}, {}, 0, shares, block=8, devices=jax.devices()[:1])
  told, used = [], set()
  put = jax.device_put
  monkeypatch.setattr(jax, 'device_put', lambda x, device: used.add(device) or put(x, device))
  stream = pseudo_labels.pseudo_labelled(
      inner, quarters, jnp.float32(1), 4, block=block, devices=jax.devices()[:devices],
      told=lambda *x: told.append(x))
  plain, found = list(inner(5, 50)), list(stream(5, 50))
  images = np.concatenate([x.images for x in plain])
  np.testing.assert_array_equal(np.concatenate([x.images for x in found]), images)
  assert [x.start for x in found] == [x.start for x in plain]
  labels = np.concatenate([x.labels for x in found])
  mean = images.mean((1, 2, 3)) / 127.5 - 1
  np.testing.assert_array_equal(labels, np.digitize(mean, [-.2, 0, .2]))
  assert labels.dtype == np.int32 and len(set(labels.tolist())) == 4
  changed = None if shares is None else int(
      (labels != np.concatenate([x.labels for x in plain])).sum())
  assert told == [(5, 50, (np.bincount(labels, minlength=4).tolist(), changed))]
  assert shares is None or 0 < changed < 45
  assert used >= set(jax.devices()[:devices])


def test_counts_add_up_and_nonsense_is_refused():
  one = pseudo_labels.Labelled([1, 2], 3)
  assert one + one == ([2, 4], 6) and (one + one._replace(changed=3)).changed == 6
  assert pseudo_labels.Labelled([1], None) + pseudo_labels.Labelled([2], None) == ([3], None)
  with pytest.raises(ValueError, match='block=0'):
    pseudo_labels.pseudo_labelled(lambda a, b: iter(()), quarters, 1., 4, block=0)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  return tiny.workdir(tmp_path_factory.mktemp('run'), '--conditional')


@pytest.fixture(scope='module')
def labelled(run, tmp_path_factory):
  """A conditional model's images with labels by a classifier that was trained for it."""
  folder = tmp_path_factory.mktemp('labelled')
  done = synthesize(run, folder, *FLAGS, '--pseudo_labels')
  assert done.returncode == 0 and 'Traceback' not in done.stderr, done.stderr
  assert 'labels by a classifier, right for 9' in done.stderr
  return folder


def by(path, images):
  """The labels that the classifier of a data set gives."""
  own = judge.load(path, (28, 28, 1), 10)
  return np.asarray(own.logits(own.weights, data.to_float({'image': images})['image'])).argmax(1)


def test_images_stay_and_labels_are_the_classifiers(run, labelled, tmp_path):
  plain = synthesize(run, tmp_path, *FLAGS)
  assert plain.returncode == 0, plain.stderr
  asked, got = (data.in_memory(data.tfds_source('synthetic', 'train', root))
                for root in (tmp_path, labelled))
  np.testing.assert_array_equal(asked.images, got.images)
  folder = labelled / 'synthetic/1.0.0'
  np.testing.assert_array_equal(got.labels, by(folder / '.classifier.npz', got.images))
  about = json.loads((folder / 'metadata.json').read_text())
  assert about['pseudo_labels'] == {'classifier': "trained on the model's data"}
  measured = about['measured']['pseudo_labels']
  assert measured['images'] == np.bincount(got.labels, minlength=10).tolist()
  assert measured['changed'] == (asked.labels != got.labels).mean() > .5  # it draws noise
  assert measured['accuracy_on_validation'] > .9 and len(measured['sha256']) == 64
  assert 'validation' in measured['validation'] and 'filters' not in about['measured']


@pytest.mark.parametrize('first', [True, False])
def test_with_and_without_them_are_different_data_sets(run, labelled, tmp_path, first):
  root, flags = (labelled, []) if first else (tmp_path, ['--pseudo_labels'])
  if not first:
    assert synthesize(run, root, *FLAGS).returncode == 0
  before = contents(root)
  done = synthesize(run, root, *FLAGS, *flags)
  assert done.returncode == 1 and 'other settings:\n  pseudo_labels' in done.stdout + done.stderr
  assert contents(root) == before


def test_a_classifier_that_is_gone_is_not_replaced_by_another(run, labelled, tmp_path):
  shutil.copytree(labelled, tmp_path, dirs_exist_ok=True)
  folder = tmp_path / 'synthetic/1.0.0'
  (folder / '.classifier.npz').unlink()
  next(folder.glob('*array_record-00001*')).unlink()
  done = synthesize(run, tmp_path, *FLAGS, '--pseudo_labels')
  assert done.returncode == 1 and 'bring it back' in done.stdout + done.stderr, done.stderr
  assert not (folder / '.classifier.npz').exists()


def test_a_few_images_and_held_out_ones_without_labels(run, labelled, tmp_path):
  np.savez(tmp_path / 'held.npz', images=data.mnist5k('validation').take(np.arange(120))['image'])
  given = labelled / 'synthetic/1.0.0/.classifier.npz'
  done = synthesize(run, tmp_path, '--num=4', '--block=2', '--pseudo_labels',
                    f'--classifier={given}', f'--validation_split={tmp_path}/held.npz')
  assert done.returncode == 0 and 'NONE OF SOME' in done.stderr, done.stderr
  measured = json.loads((tmp_path / 'synthetic/1.0.0/metadata.json').read_text())['measured']
  assert list(measured) == ['pseudo_labels'] and sum(measured['pseudo_labels']['images']) == 4
  assert measured['pseudo_labels']['accuracy_on_validation'] is None


def test_two_workers_and_a_given_classifier_label_alike(run, labelled, tmp_path):
  given = labelled / 'synthetic/1.0.0/.classifier.npz'
  for k in (0, 1):
    done = synthesize(run, tmp_path, *FLAGS, '--pseudo_labels', f'--classifier={given}',
                      f'--worker={k}/2')
    assert done.returncode == 0 and 'frechet' not in done.stderr, done.stderr
  one, two = ({k: v for k, v in contents(x).items() if not k.endswith('metadata.json')}
              for x in (labelled, tmp_path))
  assert one == two
  about = json.loads((tmp_path / 'synthetic/1.0.0/metadata.json').read_text())
  assert len(about['pseudo_labels']['classifier']) == 64
  before = contents(tmp_path)
  other = synthesize(run, tmp_path, *FLAGS)
  assert other.returncode == 1 and 'pseudo_labels' in other.stdout + other.stderr
  assert contents(tmp_path) == before


def test_an_unconditional_model_gives_labels_too(labelled, tmp_path):
  """In folders, of what passes a filter."""
  plain = tiny.workdir(tmp_path / 'run')
  given = labelled / 'synthetic/1.0.0/.classifier.npz'
  done = synthesize(plain, tmp_path / 'out', *FLAGS, '--pseudo_labels', f'--classifier={given}',
                    '--format=folder', '--filters=copies')
  assert done.returncode == 0 and 'asked for' not in done.stderr, done.stderr
  about = json.loads((tmp_path / 'out/metadata.json').read_text())['measured']
  images = about['pseudo_labels']['images']
  assert about['pseudo_labels']['changed'] is None and about['kept']['accepted'] == 240
  folders = {p.name: len(list(p.iterdir())) for p in (tmp_path / 'out/train').iterdir()}
  assert folders == {str(k): n for k, n in enumerate(images) if n} and sum(images) == 240
  found = data.in_memory(data.folder(tmp_path / 'out/train'))
  names = np.array(sorted(map(int, folders)))
  np.testing.assert_array_equal(names[found.labels], by(given, found.images))


@pytest.mark.parametrize('flags, message', [
    (['--pseudo_labels', '--filters=classifier'], 'leave one of them out'),
    (['--classifier=/nowhere.npz'], '--classifier is of --filters=classifier and --pseudo'),
    (['--pseudo_labels', '--classifier=/nowhere.npz'], '/nowhere.npz'),
    (['--pseudo_labels', '--classifier=setup.cfg'], 'not a classifier of this engine')])
def test_what_is_refused(run, tmp_path, flags, message):
  more = [] if '--pseudo_labels' in flags else ['--filters=copies']
  done = synthesize(run, tmp_path / 'a', '--num=20', *more, *flags)
  assert done.returncode == 1 and message in done.stdout + done.stderr, done.stderr
  assert 'Traceback' not in done.stderr and not (tmp_path / 'a').exists()


def test_the_line_that_is_shown():
  found = {'accuracy_on_validation': .9875, 'validation': 'mnist5k/validation', 'changed': .015,
           'images': [3, 4]}
  assert pseudo.show(found) == (
      'labels by a classifier, right for 98.75% of mnist5k/validation: 1.50% are not what was '
      'asked for; images of each class [3, 4]')
  found = {**found, 'accuracy_on_validation': None, 'changed': None, 'images': [7, 0]}
  assert pseudo.show(found).startswith('labels by a classifier; images of each class [7, 0]: NONE')
