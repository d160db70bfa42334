"""GARCH(1, 1) with Student-t innovations: fitted to returns, and simulated into windows."""
from typing import NamedTuple

import numpy as np

SMOOTHING = .94  # of the squares that the first variance is made of
SMOOTHED = 75  # of them


class Garch(NamedTuple):
  """`r_t = mean + sqrt(h_t) z_t`, `h_t = omega + alpha (r_(t-1) - mean)^2 + beta h_(t-1)`.

  Bollerslev 1987, A conditionally heteroskedastic time series model for speculative prices and
  rates of return.

  Attributes:
    mean: of a return.
    omega: above 0.
    alpha: at least 0.
    beta: at least 0, with `alpha + beta` below 1.
    freedom: degrees of freedom of z, above 2; z has variance 1.
  """
  mean: float
  omega: float
  alpha: float
  beta: float
  freedom: float


class Fitted(NamedTuple):
  """A model of several columns with one constant correlation.

  Attributes:
    columns: a model each.
    correlation: `[C, C]`, of the normal scores of the innovations.
    variances: `[T + 1, C]`, of each real return, and of the one after the last.
  """
  columns: tuple[Garch, ...]
  correlation: np.ndarray
  variances: np.ndarray


def variances(model: Garch, returns: np.ndarray) -> np.ndarray:
  """`h_t` of each return and of the next: `[T + 1]`.

  The first is a mean of the first squares, of which those later weigh less.

  >>> variances(Garch(0., .1, .1, .8, 5.), np.array([1., 2.])).round(3).tolist()
  [2.454, 2.163, 2.23]
  """
  from scipy import signal
  squares = (np.asarray(returns, np.float64) - model.mean) ** 2
  weights = SMOOTHING ** np.arange(min(SMOOTHED, len(squares)))
  first = squares[:len(weights)] @ weights / weights.sum()
  rest, _ = signal.lfilter([1.], [1., -model.beta], model.omega + model.alpha * squares,
                           zi=[model.beta * first])
  return np.concatenate([[first], rest])


def negative_log_likelihood(model: Garch, returns: np.ndarray) -> float:
  """Of all returns, in nats.

  A return's is that of a t distribution with `freedom` degrees, scaled to the variance `h_t`.
  """
  from scipy import special
  n, h = model.freedom, variances(model, returns)[:-1]
  constant = special.gammaln((n + 1) / 2) - special.gammaln(n / 2) - np.log(np.pi * (n - 2)) / 2
  z2 = (np.asarray(returns, np.float64) - model.mean) ** 2 / h
  return float(-np.sum(constant - np.log(h) / 2 - (n + 1) / 2 * np.log1p(z2 / (n - 2))))


def fit(returns: np.ndarray) -> Garch:
  """The parameters of the largest likelihood.

  Args:
    returns: `[T]`, 100 at least, that vary.

  Raises:
    ValueError: other returns.
  """
  from scipy import optimize
  r = np.asarray(returns, np.float64)
  if r.ndim != 1 or len(r) < 100 or not np.isfinite(r).all() or not r.std() > 0:
    raise ValueError(f'returns {list(r.shape)}: expected 100 at least [T], finite, that vary')
  scale = r.std()
  lost = lambda p: negative_log_likelihood(_of_free(p), r / scale) / len(r)
  begin = np.array([r.mean() / scale, np.log(.05), np.log(1.), np.log(18.), np.log(4.)])
  near = optimize.minimize(lost, begin, method='Nelder-Mead',
                           options={'maxiter': 3000, 'xatol': 1e-4, 'fatol': 1e-8})
  best = min((near, optimize.minimize(lost, near.x, method='L-BFGS-B')), key=lambda x: x.fun)
  model = _of_free(best.x)
  return model._replace(mean=model.mean * scale, omega=model.omega * scale ** 2)


def _of_free(p: np.ndarray) -> Garch:
  """A model of five numbers without bounds; alpha, beta and what is left of 1 are a softmax."""
  p = np.clip(p, -30, 30)
  shares = np.exp(p[2:4]) / (1 + np.exp(p[2:4]).sum())
  return Garch(float(p[0]), float(np.exp(p[1])), float(shares[0]), float(shares[1]),
               float(2 + np.exp(p[4])))


def fit_together(returns: np.ndarray) -> Fitted:
  """A model of each column, and the correlation of their innovations.

  Bollerslev 1990, constant conditional correlation; since each column has its own degrees of
  freedom, the correlation is that of the innovations' normal scores.

  Args:
    returns: `[T, C]`.

  Raises:
    ValueError: as `fit`; or another rank.
  """
  from scipy import special, stats
  r = np.asarray(returns, np.float64)
  if r.ndim != 2:
    raise ValueError(f'returns {list(r.shape)}: expected [T, C]')
  models = tuple(fit(column) for column in r.T)
  h = np.stack([variances(model, column) for model, column in zip(models, r.T)], 1)
  spread = np.array([np.sqrt(m.freedom / (m.freedom - 2)) for m in models])
  z = (r - np.array([m.mean for m in models])) / np.sqrt(h[:-1]) * spread
  shares = stats.t.cdf(z, [m.freedom for m in models])
  normal = special.ndtri(np.clip(shares, 1e-9, 1 - 1e-9))
  return Fitted(models, np.corrcoef(normal.T).reshape(r.shape[1], r.shape[1]), h)


def simulated(fitted: Fitted, length: int, begin: np.ndarray, seed: int = 0) -> np.ndarray:
  """Returns `[count, length, C]` that go on from real ones.

  Args:
    fitted: of `fit_together`.
    length: returns of a window.
    begin: `[count]`, the number of the real return that each window's first one stands for, in
      [0, T]: the variance is then that one's.
    seed: of the draws.
  """
  from scipy import special, stats
  column = lambda name: np.array([getattr(m, name) for m in fitted.columns])
  mean, omega, alpha, beta, freedom = map(column, Garch._fields)
  values, vectors = np.linalg.eigh(fitted.correlation)
  root = vectors * np.sqrt(np.maximum(values, 0))  # columns may be equal
  rng = np.random.default_rng(seed)
  normal = rng.normal(size=(len(begin), length, len(mean))) @ root.T
  z = stats.t.ppf(special.ndtr(normal), freedom) * np.sqrt((freedom - 2) / freedom)
  h, out = fitted.variances[begin], np.empty_like(z)
  for t in range(length):
    out[:, t] = np.sqrt(h) * z[:, t]
    h = omega + alpha * out[:, t] ** 2 + beta * h
  return out + mean


def windows(rows: np.ndarray, length: int, count: int, seed: int = 0) -> np.ndarray:
  """Windows of levels, each from a real row on, by a model of the log-returns of all columns.

  Args:
    rows: `[N, C]` above 0, in the order of time, N of 101 at least.
    length: steps of a window, 2 at least.
    count: how many windows.
    seed: of the draws.

  Returns:
    `[count, length, C]`.

  Raises:
    ValueError: as `fit`; or rows that have no logarithm.
  """
  x = np.asarray(rows, np.float64)
  if x.ndim != 2 or not (x > 0).all():
    raise ValueError(f'rows {list(x.shape)}: expected [N, C] above 0, whose log-returns are taken')
  fitted = fit_together(np.diff(np.log(x), axis=0))
  begin = np.random.default_rng(seed).integers(0, len(x), count)
  moves = simulated(fitted, length - 1, begin, seed + 1)
  return x[begin][:, None] * np.exp(np.concatenate(
      [np.zeros((count, 1, x.shape[1])), np.cumsum(moves, 1)], 1))
