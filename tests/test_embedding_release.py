"""The release: what one example changes, how much noise there is, and what equals what."""
import json
import math
import shutil

from common import experiments, train as programs
import jax
import numpy as np
import pytest
from scipy import stats
import training

from jaxsynth import data, runs
from jaxsynth.privacy import embedding_release as release, embeddings
from jaxsynth.privacy.guarantee import Guarantee
from jaxsynth.runs import loading, run as runs_run

KEY = jax.random.key(7)
SHAPE = (6, 5, 1)
EMBEDDING = embeddings.fourier(embeddings.pixels(SHAPE), (.3, 1.), 40)
TREE = EMBEDDING.init(jax.random.key(0))
VARIABLES = {'generator': {}, 'shared': {'embedding': TREE, 'means': None, 'shares': None}}


def source(n=60, without=None, classes=3):
  """Random images with labels, one of them left out if asked."""
  rng = np.random.default_rng(1)
  images = rng.integers(0, 256, (n, *SHAPE), dtype=np.uint8)
  labels = rng.integers(0, classes, n).astype(np.int32)
  keep = np.arange(n) != (-1 if without is None else without)
  return data.ArraySource.of(images[keep], labels[keep], classes, 'noise')


def taken(key=KEY, epsilon=1., delta=1e-5, of=None, num_classes=3):
  of = source() if of is None else of
  made = release.take(of, key, VARIABLES, embedding=EMBEDDING, num_classes=num_classes,
                      epsilon=epsilon, delta=delta)
  return {name: np.asarray(made['shared'][name]) for name in ('means', 'shares')}


@pytest.mark.parametrize('without', [0, 1, 30, 59])
@pytest.mark.parametrize('block', [7, 512])
def test_one_example_changes_the_sums_by_a_vector_of_norm_one(without, block):
  whole, left = (release.sums(x, EMBEDDING, TREE, 3, block)[0]
                 for x in (source(), source(without=without)))
  change = whole - left
  assert 1 - 1e-4 < np.linalg.norm(change) <= 1
  label = source().labels[without]
  assert np.abs(np.delete(change, label, 1)).max() < 1e-6  # its own class's alone, to a rounding
  assert change[-1, label] == pytest.approx(release.COUNTED, abs=1e-4)


def test_sums_are_those_of_every_example_however_they_are_read():
  batch = source().take(np.arange(60))
  features = np.asarray(EMBEDDING.apply(TREE, data.to_float(batch)['image']))
  expected = math.sqrt(1 - .04) * features.T @ np.eye(3)[batch['label']]
  for block in (1, 13, 60, 64):
    total, _ = release.sums(source(), EMBEDDING, TREE, 3, block)
    np.testing.assert_allclose(total[:-1], expected, atol=1e-4)
    np.testing.assert_allclose(total[-1] / .2, np.bincount(batch['label']), rtol=1e-4)
  alone, _ = release.sums(source(), EMBEDDING, TREE, None)
  np.testing.assert_allclose(alone[:, 0], total.sum(1), atol=1e-4)


def test_without_noise_means_and_shares_are_exact():
  batch = source().take(np.arange(60))
  features = np.asarray(EMBEDDING.apply(TREE, data.to_float(batch)['image']))
  got = taken(epsilon=math.inf)
  np.testing.assert_allclose(got['means'], features.T @ np.eye(3)[batch['label']] / 60, atol=1e-4)
  np.testing.assert_allclose(got['shares'], np.bincount(batch['label']) / 60, rtol=1e-5)
  near = taken(epsilon=1e6)
  np.testing.assert_allclose(near['means'], got['means'], atol=1e-3)
  one = taken(epsilon=math.inf, num_classes=None)
  np.testing.assert_allclose(one['means'][:, 0], features.mean(0), atol=1e-4)


@pytest.mark.parametrize('epsilon, delta', [(.1, 1e-6), (1., 1e-5), (10., 1e-5), (3., .1)])
def test_the_noise_is_the_least_by_the_theorem(epsilon, delta):
  """Balle & Wang's theorem 8, with sensitivity 1."""
  sigma = release.noise_of(epsilon, delta)
  tails = stats.norm.cdf(.5 / sigma - epsilon * sigma) - math.exp(epsilon) * stats.norm.cdf(
      -.5 / sigma - epsilon * sigma)
  assert tails == pytest.approx(delta, rel=1e-6)


def test_the_noise_has_its_size_over_many_keys():
  exact = release.sums(source(), EMBEDDING, TREE, 3)[0]
  sigma = release.noise_of(1., 1e-5)
  noise = np.stack([release.noisy(exact, sigma, key) - exact
                    for key in jax.random.split(KEY, 100)])
  n = noise.size  # 100 x 41 x 3
  assert noise.std() == pytest.approx(sigma, rel=4 / math.sqrt(2 * n))
  assert abs(noise.mean()) < 4 * sigma / math.sqrt(n)
  assert np.abs(noise.std((0, 1)) / sigma - 1).max() < .06  # every class, and its count
  assert noise[:, -1].std() == pytest.approx(sigma, rel=.2)
  assert stats.kstest(noise.ravel() / sigma, 'norm').pvalue > 1e-3


def test_what_is_released_twice_is_the_same_bits_and_what_differs_has_other_noise():
  first, again = taken(), taken()
  assert all(np.array_equal(first[name], again[name]) for name in first)
  exact = taken(epsilon=math.inf)['means']
  noise = (first['means'] - exact).ravel()
  others = {'key': taken(key=jax.random.key(8)), 'epsilon': taken(epsilon=1.1),
            'delta': taken(delta=2e-5), 'data': taken(of=source(without=4))}
  for name, other in others.items():
    between = np.corrcoef(noise, (other['means'] - exact).ravel())[0, 1]
    assert abs(between) < .4, name  # of 120 numbers; equal noise would have 1


def test_a_class_that_seems_empty_has_a_share_above_zero():
  shares = taken(epsilon=.01, of=source(n=4, classes=3))['shares']
  assert shares.min() > 0 and shares.sum() == pytest.approx(1)


@pytest.mark.parametrize('options, message', [
    ({'epsilon': 0.}, 'epsilon=0.0: expected more than 0'),
    ({'epsilon': -1.}, 'epsilon=-1.0: expected more than 0'),
    ({'epsilon': math.nan}, 'epsilon=nan: expected more than 0'),
    ({'delta': 0.}, r'delta=0.0: expected a probability in \(0, 1\)'),
    ({'delta': 1.}, 'delta=1.0: expected a probability'),
    ({'of': data.ArraySource.of(source().images, name='grey')}, 'grey: no labels')])
def test_bad_input_is_refused(options, message):
  with pytest.raises(ValueError, match=message):
    taken(**options)


def test_a_large_delta_is_warned_of_with_the_number(caplog):
  taken(delta=1 / 61)
  assert not caplog.records
  taken(delta=1 / 60)
  assert 'delta=0.0166667 with the 60 examples of noise' in caplog.text
  assert 'expected less than 0.0166667' in caplog.text


def test_it_promises_what_the_noise_keeps():
  promise = release.promise(1., 1e-5, 60000)
  assert Guarantee.of_json(promise.to_json()) == promise and promise.steps == 1
  assert promise.noise_multiplier == release.noise_of(1., 1e-5) and promise.clip_norm == 1
  assert '(1, 1e-05)-differentially private' in promise.sentence()


def test_the_key_of_the_noise_is_none_of_the_others():
  keys = runs_run.keys_of(5)
  words = {name: tuple(np.asarray(jax.random.key_data(key))) for name, key in
           keys._asdict().items()}
  assert len(set(words.values())) == len(words) and 'release' in words


def test_only_a_new_run_looks_at_the_data(tmp_path):
  """A run that goes on has the release in its checkpoint; one without any makes the same again."""
  looks = []

  def build(config, about):
    run = experiments.program('mnist_merf').build(config, about)

    def counted(source, key, variables):
      looks.append(tuple(np.asarray(jax.random.key_data(key))))
      return run.release.take(source, key, variables)
    return run._replace(release=run.release._replace(take=counted))

  def trained(folder, steps, *given):
    config = training.config_of('--conditional', '--checkpoint_every=2', '--epsilon=1',
                                f'--steps={steps}', *given, name='mnist_merf')
    programs.train_in(folder, 'mnist_merf', config, build, jax.devices()[:1])
    state = loading.load_state(experiments.load(folder))
    return jax.device_get(state.variables['shared'])
  before = trained(tmp_path / 'a', 2)
  assert len(looks) == 1 and before['means'].any()
  after = trained(tmp_path / 'a', 4)
  assert len(looks) == 1
  shutil.rmtree(tmp_path / 'a/checkpoints')  # as if it had been killed before the first
  again = trained(tmp_path / 'a', 4)
  assert looks[0] == looks[1] and len(looks) == 2
  for name in ('means', 'shares'):
    np.testing.assert_array_equal(before[name], after[name])
    np.testing.assert_array_equal(before[name], again[name])
  assert len((tmp_path / 'a/privacy.jsonl').read_text().splitlines()) == 1
  other = trained(tmp_path / 'b', 2)
  assert looks[2] != looks[0] and np.abs(other['means'] - before['means']).max() > 1e-5
  record = json.loads((tmp_path / 'a/config.json').read_text())
  promise = Guarantee.of_json(record['privacy'])
  assert (promise.epsilon, promise.delta, promise.size) == (1., 1e-5, 4000)
  rows = [json.loads(x) for x in (tmp_path / 'a/metrics.jsonl').read_text().splitlines()]
  assert {row['privacy/epsilon'] for row in rows} == {1.}
  assert not (tmp_path / 'a/samples/real.png').exists()
  with pytest.raises(runs.RunError, match='--multiplicity: of models that see examples in every'):
    trained(tmp_path / 'c', 2, '--multiplicity=2')
