"""Whether a classifier can tell synthetic rows from real ones."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics.tables import classifiers, column as columns
from jaxsynth.metrics.tables.classifiers import load, Name
from jaxsynth.metrics.tables.column import Column

FOLDS = 3


class Detection(NamedTuple):
  """What `detection` finds.

  Attributes:
    score: in [0, 1]; 1 if the classifier cannot tell them apart, 0 if it always can.
    auc: of each fold, in [0, 1].
    falls: by how much the first fold's AUC falls if a column is shuffled, `[C]`; empty unless it
      is asked for.
  """
  score: float
  auc: tuple[float, ...]
  falls: np.ndarray


def detection(real: Any, synthetic: Any, schema: Sequence[Column], name: Name = 'boosting', *,
              seed: int = 0, falls: bool = False) -> Detection:
  """The classifier two-sample test, "C2ST": `1 - max(0, 2 AUC - 1)`, the mean of three folds.

  A classifier learns from two thirds of both sets which rows are real, and is asked about the
  rest. `logistic` is SDMetrics' LogisticDetection to the letter, with its scaling by quartiles and
  at most a hundred iterations; it sees single columns alone, and gives columns drawn independently
  of each other a perfect score. `xgboost` is what published tables of TabDiff's and TabPC's
  authors have in its place: XGBClassifier as it comes. `boosting` is scikit-learn's by the same
  settings: 100 trees of depth 6, learning rate .3, l2 1; it needs no package beside that one.
  Measured on Adult, the two are within .01, but spikes that were smeared (SMOTE on a column of
  mostly zeros) `boosting` sees less well: .56 against .53.

  Against the train set, copies of train rows score 1 as well: `copies` and `closest` are there to
  see them.

  Args:
    real: rows `[N, C]`.
    synthetic: rows `[M, C]`, best as many.
    schema: their columns.
    name: of the classifier.
    seed: of the folds.
    falls: whether to say by which columns the rows are known.

  Raises:
    ValueError: rows that are not of the schema, or fewer than three in a set.
    ImportError: scikit-learn or XGBoost is not installed.
  """
  real, synthetic = columns.pair(real, synthetic, schema)
  if min(len(real), len(synthetic)) < FOLDS:
    raise ValueError(f'{len(real)} real and {len(synthetic)} synthetic rows: expected at least '
                     f'{FOLDS} of each, one a fold')
  if name != 'boosting':
    real, synthetic = (_filled(x, real, schema) for x in (real, synthetic))
  both = np.concatenate([real, synthetic])
  is_real = np.repeat([1, 0], [len(real), len(synthetic)])
  seen = lambda rows: classifiers.features(rows, schema, name)
  x = seen(both)
  areas, lost = [], np.zeros(0)
  split = load('sklearn.model_selection').StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
  for known, asked in split.split(x, is_real):
    model = classifiers.fitted(_model(name), x[known], is_real[known])
    areas.append(_area(model, x[asked], is_real[asked]))
    if falls and not lost.size:
      rng = np.random.default_rng(seed)
      lost = np.array([areas[0] - _area(model, seen(_shuffled(both[asked], j, rng)),
                                        is_real[asked]) for j in range(len(schema))])
  return Detection(float(np.mean([1 - max(0, 2 * area - 1) for area in areas])), tuple(areas), lost)


def _area(model: Any, x: np.ndarray, is_real: np.ndarray) -> float:
  return float(load('sklearn.metrics').roc_auc_score(is_real, model.predict_proba(x)[:, 1]))


def _model(name: Name) -> Any:
  if name == 'boosting':
    return load('sklearn.ensemble').HistGradientBoostingClassifier(
        max_iter=100, learning_rate=.3, max_depth=6, max_leaf_nodes=None, l2_regularization=1.,
        min_samples_leaf=5, early_stopping=False)
  last = (load('sklearn.linear_model').LogisticRegression(solver='lbfgs') if name == 'logistic'
          else load('xgboost').XGBClassifier(eval_metric='logloss', random_state=0))
  return load('sklearn.pipeline').make_pipeline(load('sklearn.preprocessing').RobustScaler(), last)


def _filled(rows: np.ndarray, real: np.ndarray, schema: Sequence[Column]) -> np.ndarray:
  """Numbers that are missing at the mean of the real ones, as SDMetrics has them."""
  there = ~np.isnan(real)
  means = np.where(there, real, 0).sum(0) / np.maximum(there.sum(0), 1)
  numbers = np.array([not column.discrete for column in schema])
  return np.where(numbers[None] & np.isnan(rows), means[None], rows)


def _shuffled(rows: np.ndarray, column: int, rng: np.random.Generator) -> np.ndarray:
  changed = rows.copy()
  changed[:, column] = rng.permutation(changed[:, column])
  return changed
