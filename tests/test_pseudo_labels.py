"""Labels by a classifier: of any stream, and of whole data sets."""
import json
import shutil

from common import experiments
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from tiny import contents, labels_by, synthesized

from jaxsynth import data, quality
from jaxsynth.quality import labeller, labelling
from jaxsynth.synthesis import metadata, pseudo_labels, streamer

pytestmark = pytest.mark.long

FLAGS = ['--num=240', '--shards=4', '--block=20', '--score_num=200']


def noise(params, variables, keys, cond):
  return jax.vmap(lambda key: jax.random.uniform(key, (2, 2, 1), minval=-1.))(keys)


def quarters(weights, images):
  """The quarter of [-1, 1] that the mean is in, scaled."""
  edges = jnp.array([[-.2, 0., .2]]) * weights
  at = (images.mean((1, 2, 3))[:, None] > edges).sum(1)
  return jax.nn.one_hot(at, 4)


@pytest.mark.parametrize('shares, block, devices', [(4, 8, 1), (4, 3, 2), (None, 8, 4)])
def test_each_image_gets_what_the_classifier_says_of_it(shares, block, devices, monkeypatch):
  inner = streamer(noise, {}, {}, 0, shares, block=8, devices=jax.devices()[:1])
  reports, used = [], set()
  put = jax.device_put
  monkeypatch.setattr(jax, 'device_put', lambda x, device: used.add(device) or put(x, device))
  stream = pseudo_labels.pseudo_labelled(
      inner, quarters, jnp.float32(1), 4, block=block, devices=jax.devices()[:devices],
      report=lambda *x: reports.append(x))
  plain, labelled = list(inner(5, 50)), list(stream(5, 50))
  images = np.concatenate([x.images for x in plain])
  np.testing.assert_array_equal(np.concatenate([x.images for x in labelled]), images)
  assert [x.start for x in labelled] == [x.start for x in plain]
  labels = np.concatenate([x.labels for x in labelled])
  mean = images.mean((1, 2, 3)) / 127.5 - 1
  np.testing.assert_array_equal(labels, np.digitize(mean, [-.2, 0, .2]))
  assert labels.dtype == np.int32 and len(set(labels.tolist())) == 4
  changed = None if shares is None else int(
      (labels != np.concatenate([x.labels for x in plain])).sum())
  assert reports == [(5, 50, (np.bincount(labels, minlength=4).tolist(), changed))]
  assert shares is None or 0 < changed < 45
  assert used >= set(jax.devices()[:devices])


def test_counts_add_up_and_nonsense_is_refused():
  counts = pseudo_labels.Labelled([1, 2], 3)
  assert counts + counts == ([2, 4], 6)
  assert (counts + counts._replace(changed=3)).changed == 6
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
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(labeller, 'LEAST_STEPS', 150)
    assert synthesized(run, folder, *FLAGS, '--pseudo_labels') == 0
  return folder


@pytest.fixture(scope='module')
def given(labelled):
  return labelled / 'synthetic/1.0.0/.classifier.npz'


def measured_of(folder):
  return json.loads((folder / 'metadata.json').read_text())['measured']


def test_images_stay_and_labels_are_the_classifiers(run, labelled, given, tmp_path):
  assert synthesized(run, tmp_path, *FLAGS) == 0
  asked, got = (data.in_memory(data.tfds_source('synthetic', 'train', root))
                for root in (tmp_path, labelled))
  np.testing.assert_array_equal(asked.images, got.images)
  np.testing.assert_array_equal(got.labels, labels_by(given, got.images))
  about = json.loads((given.parent / 'metadata.json').read_text())
  assert about['pseudo_labels'] == {'classifier': "trained on the model's data"}
  measured = about['measured']['pseudo_labels']
  assert measured['images'] == np.bincount(got.labels, minlength=10).tolist()
  assert measured['changed'] == (asked.labels != got.labels).mean() > .5  # it draws noise
  assert measured['accuracy_on_validation'] > .9 and len(measured['sha256']) == 64
  assert 'validation' in measured['validation'] and 'filters' not in about['measured']
  # and with and without them are different data sets
  for root, flags in ((tmp_path, ['--pseudo_labels']), (labelled, [])):
    before = contents(root)
    with pytest.raises(metadata.OtherSettings, match='other settings:\n  pseudo_labels'):
      synthesized(run, root, *FLAGS, *flags)
    assert contents(root) == before


def test_a_classifier_that_is_gone_is_not_replaced_by_another(run, labelled, tmp_path):
  shutil.copytree(labelled, tmp_path, dirs_exist_ok=True)
  folder = tmp_path / 'synthetic/1.0.0'
  (folder / '.classifier.npz').unlink()
  next(folder.glob('*array_record-00001*')).unlink()
  with pytest.raises(ValueError, match='bring it back'):
    synthesized(run, tmp_path, *FLAGS, '--pseudo_labels')
  assert not (folder / '.classifier.npz').exists()


def test_a_few_images_and_held_out_ones_without_labels(run, given, tmp_path, capsys):
  np.savez(tmp_path / 'held.npz', images=data.mnist5k('validation').take(np.arange(120))['image'])
  flags = ['--num=4', '--block=2', f'--classifier={given}',
           f'--validation_split={tmp_path}/held.npz']
  assert synthesized(run, tmp_path, *flags, '--pseudo_labels') == 0
  assert 'NONE OF SOME' in capsys.readouterr().err
  measured = measured_of(tmp_path / 'synthetic/1.0.0')
  assert list(measured) == ['pseudo_labels'] and sum(measured['pseudo_labels']['images']) == 4
  assert measured['pseudo_labels']['accuracy_on_validation'] is None
  with pytest.raises(ValueError, match='held.npz: no labels, which the filters of a conditional'):
    synthesized(run, tmp_path / 'a', *flags, '--filters=classifier')


def test_two_workers_and_a_given_classifier_label_alike(run, labelled, given, tmp_path, capsys):
  for k in (0, 1):
    assert synthesized(run, tmp_path, *FLAGS, '--pseudo_labels', f'--classifier={given}',
                       f'--worker={k}/2') == 0
  assert 'frechet' not in capsys.readouterr().err
  without = lambda root: {k: v for k, v in contents(root).items()
                          if not k.endswith('metadata.json')}
  assert without(labelled) == without(tmp_path)
  about = json.loads((tmp_path / 'synthetic/1.0.0/metadata.json').read_text())
  assert len(about['pseudo_labels']['classifier']) == 64


def test_an_unconditional_model_gives_labels_too(given, tmp_path):
  """In folders, of what passes a filter."""
  model = experiments.load(tiny.workdir(tmp_path / 'run'))
  selection = quality.Selection(('copies',), pseudo_labels=True, classifier=given)
  order = quality.Order.of(model, tmp_path / 'out', {'train': 240}, format='folder',
                           num_shards=4, block=20)
  real = quality.read_real(model, selection)
  assert quality.begin(order, model, real, selection).write()
  measured = quality.measure(order, model, real, selection, most=200)
  images = measured['pseudo_labels']['images']
  assert measured['pseudo_labels']['changed'] is None and measured['kept']['accepted'] == 240
  assert 'asked for' not in quality.summary(measured)
  folders = {p.name: len(list(p.iterdir())) for p in (tmp_path / 'out/train').iterdir()}
  assert folders == {str(k): n for k, n in enumerate(images) if n} and sum(images) == 240
  written = data.in_memory(data.folder(tmp_path / 'out/train'))
  names = np.array(sorted(map(int, folders)))
  np.testing.assert_array_equal(names[written.labels], labels_by(given, written.images))


@pytest.mark.parametrize('flags, error, message', [
    (['--pseudo_labels', '--filters=classifier'], ValueError, 'leave one of them out'),
    (['--filters=copies', '--classifier=/nowhere.npz'], ValueError,
     '--classifier is of --filters=classifier and --pseudo'),
    (['--pseudo_labels', '--classifier=/nowhere.npz'], FileNotFoundError, '/nowhere.npz'),
    (['--pseudo_labels', '--classifier=setup.cfg'], ValueError,
     'not a classifier of this engine')])
def test_what_is_refused(run, tmp_path, flags, error, message):
  flags = [x.replace('setup.cfg', str(tiny.ROOT / 'setup.cfg')) for x in flags]
  with pytest.raises(error, match=message):
    synthesized(run, tmp_path / 'a', '--num=20', *flags)
  assert not (tmp_path / 'a').exists()


def test_the_line_that_is_shown():
  counts = {'accuracy_on_validation': .9875, 'validation': 'mnist5k/validation', 'changed': .015,
            'images': [3, 4]}
  assert labelling.label_summary(counts) == (
      'labels by a classifier, right for 98.75% of mnist5k/validation: 1.50% are not what was '
      'asked for; images of each class [3, 4]')
  counts = {**counts, 'accuracy_on_validation': None, 'changed': None, 'images': [7, 0]}
  assert labelling.label_summary(counts).startswith(
      'labels by a classifier; images of each class [7, 0]: NONE')
