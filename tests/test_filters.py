"""Filters against planted faults, and streams that have passed them."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxsynth import data, quality, synthesis
from jaxsynth.pixels import scaled
from jaxsynth.metrics import features
from jaxsynth.synthesis import filters, strict
from jaxsynth.synthesis.filters import duplicates


@pytest.fixture(scope='module')
def digits():
  """Training and held-out images and labels, in an order that mixes the classes."""
  train, held = data.mnist5k('train'), data.mnist5k('validation')
  order = np.random.default_rng(0).permutation(train.size)
  return train.images[order], train.labels[order], held.images, held.labels


def candidates(images, labels=None):
  uniforms = np.random.default_rng(1).random(len(images), np.float32)
  return filters.Candidates(images, labels, uniforms)


def blurred(images):
  """5 x 5 means."""
  x = np.pad(images.astype(np.float32), ((0, 0), (2, 2), (2, 2), (0, 0)))
  windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), (1, 2))
  return windows.mean((-2, -1)).astype(np.uint8)


@pytest.mark.long
@pytest.mark.parametrize('of', [filters.realism, filters.density])
def test_noise_and_blur_are_not_real(digits, of):
  train, _, held, _ = digits
  found = filters.fit(of(features.mnist(), train[:3000]), candidates(held), .9)
  assert .9 <= filters.kept(found, candidates(held)).mean() < .95  # density comes in steps
  fresh = candidates(train[3000:])
  assert filters.kept(found, fresh).mean() > .85
  noise = np.random.default_rng(0).integers(0, 256, held.shape, np.uint8)
  assert filters.kept(found, candidates(noise)).mean() < .05
  assert filters.kept(found, candidates(blurred(blurred(held)))).mean() < .3


def test_realism_is_equation_3():
  """By plain loops, on points of a plane."""
  pixels = features.pixels()
  rng = np.random.default_rng(0)
  real, x = (rng.integers(0, 256, (n, 1, 1, 2), np.uint8) for n in (41, 9))
  a, b = (y.reshape(-1, 2) / 127.5 - 1 for y in (real, x))
  radii = np.sort(np.linalg.norm(a[:, None] - a, axis=-1), 1)[:, 3]
  inner = radii <= np.median(radii)
  assert np.sort(radii)[21] > np.median(radii) + .01  # no tie at the median
  want = [max(r / np.linalg.norm(y - p) for p, r in zip(a[inner], radii[inner])) for y in b]
  found = filters.scores(filters.realism(pixels, real, 3), candidates(x))
  np.testing.assert_allclose(found, want, rtol=1e-3)
  radii = np.sort(np.linalg.norm(a[:, None] - a, axis=-1), 1)[:, 5]
  inside = np.array([sum(np.linalg.norm(y - p) < r for p, r in zip(a, radii)) for y in b])
  found = filters.scores(filters.density(pixels, real, 5), candidates(x))
  np.testing.assert_allclose(found[inside > 0], inside[inside > 0] / 5, rtol=1e-6)
  assert (found[inside == 0] <= 0).all() and (found > -1).all()


@pytest.mark.long
def test_wrong_labels_are_dropped(digits, tmp_path):
  train, labels, held, held_labels = digits
  labeller = quality.train_labeller(data.ArraySource.of(train, labels, 10), 0, steps=150)
  quality.save_labeller(tmp_path / 'a.npz', labeller)
  again = quality.load_labeller(tmp_path / 'a.npz', (28, 28, 1), 10)
  assert again.digest == labeller.digest
  found = filters.classifier(again.logits, again.weights)
  right = candidates(held, held_labels)
  wrong = candidates(held, (held_labels + 1) % 10)
  assert filters.kept(found, right).mean() > .9 and filters.kept(found, wrong).mean() < .05
  strictly = filters.fit(found, right, .8)
  assert .8 <= filters.kept(strictly, right).mean() < .82
  noise = np.random.default_rng(0).integers(0, 256, held.shape, np.uint8)
  assert filters.kept(strictly, candidates(noise, held_labels)).mean() < .1
  assert filters.scores(found, candidates(held)).min() > .1  # without labels: the largest
  with pytest.raises(ValueError, match='not a classifier of images .* 9 classes'):
    quality.load_labeller(tmp_path / 'a.npz', (28, 28, 1), 9)
  (tmp_path / 'b.npz').write_bytes(b'x')
  with pytest.raises(ValueError, match='not a classifier'):
    quality.load_labeller(tmp_path / 'b.npz', (28, 28, 1), 10)


def test_copies_of_training_images_are_dropped(digits):
  train, _, held, _ = digits
  found = filters.fit_copies(filters.copies(train), candidates(held))
  assert filters.kept(found, candidates(held)).all()
  touched = train[:50].copy()
  touched[:, 0, 0] += 60
  assert not filters.kept(found, candidates(np.concatenate([train[:50], touched]))).any()
  leaky = filters.fit_copies(filters.copies(train), candidates(np.concatenate([held, train[:1]])))
  assert filters.kept(leaky, candidates(touched)).all()
  assert not filters.kept(leaky, candidates(train[:50])).any()
  large = np.random.default_rng(0).integers(0, 256, (5, 80, 70, 3), np.uint8)
  small = filters.scores(filters.copies(large), candidates(large))
  assert (small < 1e-6).all()


def test_duplicates_are_dropped_and_the_first_stays(digits):
  train = digits[0]
  least = filters.duplicate_threshold(train, 2000)
  seen = duplicates.nothing_seen(10, (28, 28, 1))
  images = train[[0, 1, 0, 2, 1]]
  near = duplicates.near(seen, images, least)
  ok = duplicates.greedy(np.ones(5, bool), np.arange(5), np.zeros(5, bool), *near)
  assert ok.tolist() == [True, True, False, True, False]
  seen = duplicates.add(seen, images, np.flatnonzero(ok))
  touched = train[[2, 7]].copy()
  touched[:, 3, 3] += 9
  assert duplicates.near(seen, touched, least)[0].tolist() == [True, False]
  assert int(seen.filled) == 3


def gaussians(n, seed):
  """Samples of the model, normal, as the pixel of an image."""
  x = np.clip(np.random.default_rng(seed).normal(size=n), -4, 4)
  return x, np.round((x / 4 + 1) * 127.5).astype(np.uint8).reshape(-1, 1, 1, 1)


def log_ratio(x):
  """Of N(0, 1/2) to N(0, 1), at most log 2."""
  return np.log(2) + x ** 2 / 2 - 2 * x ** 2


def analytic(scale=1., offset=0.):
  """A discriminator whose logit is linear in the log ratio."""
  return lambda params, images, labels: (
      scale * (jnp.log(2.) - 1.5 * jnp.square(4 * images.reshape(-1))) + offset)


def test_rejection_by_a_known_ratio_samples_the_target():
  """Gamma 0 and the true ratio: N(0, 1) becomes N(0, 1/2), and 1 in 2 stays."""
  x, images = gaussians(20000, 0)
  found = filters.discriminator(analytic(), (), filters.Calibration(1., 0., np.log(2), 0.))
  kept = filters.kept(found, candidates(images))
  assert abs(kept.mean() - .5) < 4 * np.sqrt(.25 / len(x))
  edges = stats.norm(0, .5).ppf(np.linspace(0, 1, 21)[1:-1])
  counts = np.bincount(np.searchsorted(edges, x[kept]), minlength=20)
  assert stats.chisquare(counts).pvalue > 1e-3
  assert stats.chisquare(np.bincount(np.searchsorted(edges, x), minlength=20)).pvalue < 1e-9
  # sigmoid(F - gamma), cell by cell
  shifted = found._replace(threshold=1.5)
  kept = filters.kept(shifted, candidates(images))
  p = np.minimum(np.exp(log_ratio(x)) / 2, 1 - 1e-8)
  want = 1 / (1 + np.exp(1.5) * (1 - p) / p)
  assert abs(kept.sum() - want.sum()) < 4 * np.sqrt((want * (1 - want)).sum())


def test_calibration_finds_the_ratio():
  """A discriminator overconfident and shifted: logit = 2 log ratio + 3."""
  rng = np.random.default_rng(0)
  real, fake = (2 * log_ratio(rng.normal(0, s, 40000)) + 3 for s in (.5, 1.))
  found = filters.calibrate(real, fake)
  assert abs(found.scale - .5) < .03 and abs(found.offset + 1.5) < .08
  assert found.largest == pytest.approx(np.log(2), abs=.05) and found.log_loss < np.log(2)
  assert filters.calibrate(real[:100], fake).scale == pytest.approx(.5, abs=.15)  # equal weights
  with pytest.raises(ValueError, match='it says nothing'):
    filters.calibrate(fake, real)
  with pytest.raises(ValueError, match='1 not finite'):
    filters.calibrate([0., np.nan], fake)
  apart = filters.calibrate(np.full(50, 9.), np.full(50, -9.))  # does not diverge
  assert np.isfinite(apart[:3]).all()


def test_gamma_by_percentile():
  _, images = gaussians(4000, 1)
  logits = np.asarray(analytic()((), scaled(images), None))
  calibration = filters.Calibration(1., 0., float(logits.max()), 0.)
  shares = []
  for percentile in (10, 50, 90):
    gamma = filters.gamma(logits, calibration, percentile)
    d = logits.astype(np.float64) - logits.max()
    lifted = d - np.log(-np.expm1(d - 1e-8))
    assert np.mean(lifted < gamma) == pytest.approx(percentile / 100, abs=.03)
    found = filters.discriminator(analytic(), (), calibration)._replace(threshold=gamma)
    shares.append(filters.kept(found, candidates(images)).mean())
  assert shares[0] > shares[1] > shares[2]
  with pytest.raises(ValueError, match='percentile 101'):
    filters.gamma(logits, calibration, 101)


def test_thresholds_that_cannot_be():
  for values, keep in (([], .5), ([1.], 0), ([1.], 1.1), ([np.nan], .5)):
    with pytest.raises(ValueError, match='expected a share'):
      filters.threshold(np.array(values), keep)


def noise(params, variables, keys, cond):
  x = jax.vmap(lambda key: jax.random.uniform(key, (4, 4, 1), minval=-1.))(keys)
  return x / 10 + (cond / 5 - 1).reshape(-1, 1, 1, 1)


def run(start, stop, devices=1, threshold=.7, unlike=None, attempts=64, score=None):
  score = score or (lambda params, x: x.uniforms)
  propose = synthesis.proposer(noise, {}, {}, 5, 10, [filters.Filter('coin', (), score, threshold)],
                               block=8, devices=jax.devices()[:devices])
  reports = []
  stream = synthesis.passing(propose, ['coin'], (4, 4, 1), unlike=unlike, attempts=attempts,
                             block=8, report=lambda *x: reports.append(x))
  pieces = list(stream(start, stop))
  assert [p.start for p in pieces] == list(range(start, stop, 8))
  return (np.concatenate([p.images for p in pieces]),
          np.concatenate([p.labels for p in pieces]), reports)


@pytest.mark.long
@pytest.mark.parametrize('unlike', [None, .05])
def test_a_run_depends_on_itself_alone(unlike):
  images, labels, reports = run(128, 333, unlike=unlike)
  many = run(128, 333, 4, unlike=unlike)
  np.testing.assert_array_equal(images, many[0])
  np.testing.assert_array_equal(labels, np.arange(128, 333) % 10)
  assert reports == many[2]
  (start, stop, kept), = reports
  assert (start, stop, kept.accepted) == (128, 333, 205) and kept.passed['coin'] == 205
  # three in ten pass
  assert abs(kept.accepted / kept.candidates - .3) < 4 * np.sqrt(.21 / kept.candidates)


def test_what_passes_at_first_is_the_unfiltered_sample():
  plain = np.concatenate([p.images for p in synthesis.streamer(
      noise, {}, {}, 5, 10, block=8, devices=jax.devices()[:1])(0, 200)])
  same = (run(0, 200)[0] == plain).all((1, 2, 3))
  assert abs(same.mean() - .3) < 4 * np.sqrt(.21 / 200)
  np.testing.assert_array_equal(run(0, 200, threshold=0)[0], plain)
  # and without copies, windows do not matter
  np.testing.assert_array_equal(run(0, 200)[0][128:], run(128, 200)[0])


def test_near_copies_are_drawn_again():
  x = run(0, 200, threshold=0)[0].reshape(200, -1) / 127.5
  distances = np.linalg.norm(x[:, None] - x, axis=-1) + 9 * np.eye(200)
  least = float(np.quantile(distances[np.triu_indices(200, 1)], .001))
  assert (distances < least).any()
  images, _, reports = run(0, 200, threshold=0, unlike=least)
  y = images.reshape(200, -1) / 127.5
  assert (np.linalg.norm(y[:, None] - y, axis=-1) + 9 * np.eye(200)).min() >= least - 1e-5
  kept = reports[0][2]
  assert kept.candidates - kept.passed['duplicates'] == kept.candidates - 200 > 0


def test_too_few_is_said_and_bounded():
  with pytest.raises(strict.TooFew, match=r'missing after \d+ candidates: the filters keep 0.00% '
                                          r'of \d+ \(coin 0.00%\)'):
    run(0, 30, threshold=2., attempts=3)
  # one class that never passes
  with pytest.raises(strict.TooFew, match='3 of the samples 0 to 29 are missing'):
    run(0, 30, threshold=.5, attempts=5, score=lambda params, x: (x.labels != 4) * 1.)
  with pytest.raises(ValueError, match='attempts=0'):
    run(0, 30, attempts=0)
