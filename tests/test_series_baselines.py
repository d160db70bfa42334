"""Baselines of series: blocks follow as drawn, and GARCH is that of a peer."""
import pathlib

import numpy as np
import pytest

import baseline
from jaxsynth.baselines import block_bootstrap, garch, long_series
from jaxsynth.data import origin, DatasetSpec
from jaxsynth.data.series_file import read_series
from jaxsynth.evaluation.synthetic import read_synthetic
import programs

SP500 = pathlib.Path(__file__).parent.parent / '../shared/tables/stocks/sp500_daily_1950_2015.csv'
MODEL = garch.Garch(.0005, 1e-6, .08, .9, 6.)


def test_blocks_are_of_neighbours_begin_anywhere_and_have_their_mean_length():
  places = block_bootstrap.stationary_places(50, 400, 8., np.random.default_rng(0), 500)
  follow = (places[:, 1:] - places[:, :-1]) % 50 == 1
  # by chance a block goes on where the last one ended: 1 / 50 of 1 / 8
  assert abs(follow.mean() - (7 / 8 + 1 / 400)) < .002
  counts = np.bincount(places.ravel(), minlength=50) / places.size
  np.testing.assert_allclose(counts, 1 / 50, atol=.0012)
  whole = block_bootstrap.stationary_places(50, 40, 1e9, np.random.default_rng(0), 3)
  assert (np.diff(whole, axis=1) % 50 == 1).all()
  with pytest.raises(ValueError, match='block=0.5: expected 1 at least'):
    block_bootstrap.stationary_places(50, 40, .5, np.random.default_rng(0), 3)


def test_windows_of_rows_and_of_changes_are_made_of_real_ones():
  rng = np.random.default_rng(0)
  rows = np.exp(np.cumsum(.01 * rng.normal(size=(300, 2)), 0)) * [10, 1000]
  rows = np.column_stack([rows, rng.normal(size=300)])
  plain = block_bootstrap.resampled(rows, 12, 50, seed=1)
  assert np.isin(plain.reshape(-1, 3)[:, 0], rows[:, 0]).all() and plain.shape == (50, 12, 3)
  made = block_bootstrap.resampled_changes(rows, 12, 50, logarithm=(True, True, False), seed=1)
  assert np.abs(made[:, 0, 0, None] - rows[:, 0]).min(1).max() < 1e-9  # begin at real levels
  returns, real = np.diff(np.log(made[..., 0]), axis=1), np.diff(np.log(rows[:, 0]))
  assert np.abs(returns.reshape(-1, 1) - real).min(1).max() < 1e-9
  together = np.diff(made[..., 2], axis=1).ravel()  # of the same row as the return
  nearest = np.abs(returns.reshape(-1, 1) - real).argmin(1)
  np.testing.assert_allclose(together, np.diff(rows[:, 2])[nearest], atol=1e-9)
  assert len({x.tobytes() for x in made}) == 50
  with pytest.raises(ValueError, match='numbers above 0 where changes are those of the logarithm'):
    block_bootstrap.resampled_changes(rows, 12, 50)


def test_the_likelihood_is_that_of_scipys_t():
  from scipy import stats
  returns = .01 * np.random.default_rng(0).standard_t(6, 200)
  h = garch.variances(MODEL, returns)
  by_hand = [h[0]]
  for r in returns:
    by_hand.append(MODEL.omega + MODEL.alpha * (r - MODEL.mean) ** 2 + MODEL.beta * by_hand[-1])
  np.testing.assert_allclose(h, by_hand, rtol=1e-10)
  scale = np.sqrt(h[:-1] * (6 - 2) / 6)
  expected = -stats.t.logpdf(returns, 6, MODEL.mean, scale).sum()
  np.testing.assert_allclose(garch.negative_log_likelihood(MODEL, returns), expected, rtol=1e-10)


def test_a_simulated_series_is_fitted_again_and_columns_are_correlated():
  """A long window is a series; the parameters come back within some standard errors."""
  fitted = garch.Fitted((MODEL, MODEL), np.array([[1., .7], [.7, 1.]]), np.full((1, 2), 5e-5))
  returns = garch.simulated(fitted, 8000, np.zeros(1, int), seed=3)[0]
  assert abs(returns.var() / (MODEL.omega / (1 - .98)) - 1) < .35  # the stationary variance
  again = garch.fit_together(returns[:, :1])
  (model,) = again.columns
  assert (np.abs(np.subtract(model[2:], MODEL[2:])) < (.02, .03, 1.)).all()
  both = garch.fit_together(returns[:2000])
  assert abs(both.correlation[0, 1] - .7) < .05


def test_windows_begin_at_real_rows_and_equal_columns_stay_equal():
  rng = np.random.default_rng(0)
  price = 50 * np.exp(np.cumsum(.01 * rng.standard_t(5, 400)))
  made = garch.windows(np.stack([price, price, 3 * price], 1), 10, 30, seed=2)
  np.testing.assert_allclose(made[..., 1], made[..., 0], rtol=1e-6)
  np.testing.assert_allclose(made[..., 2], 3 * made[..., 0], rtol=1e-6)
  assert np.isclose(made[:, 0, 0, None], price).any(1).all() and made.shape == (30, 10, 3)


@pytest.mark.parametrize('returns', [np.zeros(200), np.ones(50), np.full(200, np.nan),
                                     np.ones((200, 2))])
def test_returns_that_cannot_be_fitted_are_refused(returns):
  with pytest.raises(ValueError, match='expected 100 at least'):
    garch.fit(returns)


def test_the_fit_of_the_sp_500_is_that_of_the_package_arch():
  """arch 8.0.0, `arch_model(100 r, dist='t').fit()`: estimates and standard errors."""
  if not SP500.is_file():
    pytest.skip('the S&P 500 is not there')
  close = read_series(SP500, ['close'], 'date').rows[:, 0].astype(np.float64)
  returns = np.diff(np.log(close))
  model = garch.fit(returns)
  scaled = (100 * model.mean, 1e4 * model.omega, *model[2:])
  peer = (.056586, .006558, .075413, .919244, 6.761763)
  errors = (.005172, .001085, .005986, .006154, .384406)
  assert np.abs((np.array(scaled) - peer) / errors).max() < .05
  log_likelihood = -garch.negative_log_likelihood(model, returns) - len(returns) * np.log(100)
  assert abs(log_likelihood - -19515.6013) < .05


def test_windows_are_joined_to_the_series_that_they_are_of():
  rows = np.random.default_rng(0).normal(size=(30, 2))
  windows = rows[np.arange(26)[:, None] + np.arange(5)]
  np.testing.assert_array_equal(long_series.joined(windows), rows)
  with pytest.raises(ValueError, match='window 3 does not begin a row after .* leave --stride at'):
    long_series.joined(np.delete(windows, 3, 0))


@pytest.mark.parametrize('name', ['bootstrap', 'bootstrap_changes', 'garch'])
def test_the_program_writes_windows_that_others_read(name, tmp_path):
  rng = np.random.default_rng(0)
  rows = 50 * np.exp(np.cumsum(.01 * rng.normal(size=(200, 2)), 0)).astype(np.float32)
  np.savez(tmp_path / 'prices.npz', values=rows, columns=['open', 'close'])
  given = [f'--baseline={name}', f'--dataset={tmp_path}/prices.npz', '--window=6', '--split=all',
           '--num=40']
  programs.call(baseline, *given, f'--out={tmp_path}/made.npz')
  made = read_synthetic(tmp_path / 'made.npz').examples
  assert made.values.shape == (40, 6, 2) and made.labels is None and (made.values > 0).all()
  assert origin.is_synthetic(DatasetSpec(str(tmp_path / 'made.npz')))
  if name == 'bootstrap':
    assert np.isin(made.values[..., 0], rows[:, 0]).all()
  with pytest.raises(ValueError, match='leave --stride at 1'):
    programs.call(baseline, *given, '--stride=2', f'--out={tmp_path}/other.npz')
