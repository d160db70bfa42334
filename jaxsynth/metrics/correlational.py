"""How far the correlations between the columns of synthetic series are from the real ones."""
import numpy as np


def correlational(real: np.ndarray, synthetic: np.ndarray) -> float:
  """The sum of the absolute differences of all correlations at lag 0, over 10.

  Correlations are of all steps of all windows, as in the code of Liao et al. 2020,
  https://arxiv.org/abs/2006.05421, that Diffusion-TS and others score with. A column that never
  changes has none with others.

  Args:
    real: `[N, T, C]`.
    synthetic: `[M, T, C]`.

  Returns:
    0 for the same correlations; 0 where there is one column.

  Raises:
    ValueError: other shapes, or values that are not finite.

  >>> x = np.random.default_rng(0).normal(size=(100, 9, 2))
  >>> round(correlational(x, np.concatenate([x[..., :1], x[..., :1]], -1)), 2)
  0.2
  """
  for name, x in (('real', real), ('synthetic', synthetic)):
    if np.ndim(x) != 3 or np.shape(x)[2] != np.shape(real)[2]:
      raise ValueError(f'{name}: windows {list(np.shape(x))}, expected [N, steps, columns], as '
                       f'many columns as the real ones {list(np.shape(real))}')
    if not np.isfinite(x).all():
      raise ValueError(f'{name}: windows that are not finite')
  return float(np.abs(_correlation(real) - _correlation(synthetic)).sum() / 10)


def _correlation(x: np.ndarray) -> np.ndarray:
  rows = x.reshape(-1, x.shape[2]).astype(np.float64)
  rows = rows - rows.mean(0)
  size = np.sqrt((rows ** 2).sum(0))
  unit = rows / np.where(size > 0, size, 1)
  return unit.T @ unit
