"""What a classifier is worth that has learned from synthetic rows."""
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxsynth.metrics.tables import classifiers, column as columns
from jaxsynth.metrics.tables.classifiers import load
from jaxsynth.metrics.tables.column import Column

Name = Literal['boosting', 'logistic']
NAMES: tuple[Name, ...] = ('boosting', 'logistic')
LEFT_OUT = .1  # of the rows that are learned from


class Right(NamedTuple):
  """What a classifier gets right on test rows; nothing is known of classes that are not there.

  Attributes:
    auc: area under the ROC curve in [0, 1]; of three classes and more the mean, over classes, of
      each against the rest; NaN where the test rows are of one class.
    accuracy: share of rows, in [0, 1].
  """
  auc: float
  accuracy: float


def usefulness(train: Any, train_labels: Any, test: Any, test_labels: Any,
               schema: Sequence[Column], num_classes: int, name: Name = 'boosting', *,
               seed: int = 0) -> Right:
  """Trains on rows, synthetic ones say, and tests on real ones: "machine learning efficiency".

  Each seed leaves out another tenth of the train rows. By it `boosting` knows when to stop: at
  most 500 trees of 31 leaves, learning rate .1, until ten in turn have not helped (100 trees
  where a class has fewer than twenty rows). `logistic` has all its columns standardised, and
  missing numbers at the mean. Published AUC is that of XGBoost by the best of 36 settings on a
  ninth of the train rows (TabSyn, TabDiff).

  Args:
    train: rows `[N, C]`, without the label.
    train_labels: integers `[N]`.
    test: rows `[M, C]`.
    test_labels: integers `[M]`.
    schema: of the columns.
    num_classes: labels are in [0, num_classes).
    name: of the classifier.
    seed: of the tenth.

  Raises:
    ValueError: rows that are not of the schema, labels of another length, or one class alone to
      learn from.
    ImportError: scikit-learn is not installed.
  """
  x, x_test = columns.rows('train', train, schema), columns.rows('test', test, schema)
  y, y_test = np.asarray(train_labels), np.asarray(test_labels)
  for who, rows, labels in (('train', x, y), ('test', x_test, y_test)):
    if labels.shape != (len(rows),):
      raise ValueError(f'{who}: labels {list(labels.shape)} of {len(rows)} rows')
  if len(np.unique(y)) < 2:
    raise ValueError(f'train: all {len(y)} rows are of class {y[0]}; there is nothing to learn')
  seen = lambda rows: classifiers.features(rows, schema, name)
  model = _fitted(name, seen(x), y, seed)
  probabilities = np.zeros((len(x_test), num_classes))
  probabilities[:, model.classes_] = model.predict_proba(seen(x_test))
  return right(y_test, probabilities)


def right(labels: np.ndarray, probabilities: np.ndarray) -> Right:
  """What probabilities `[N, K]` are worth for labels `[N]`.

  >>> right(np.array([0, 1, 1]), np.array([[.9, .1], [.6, .4], [.2, .8]]))
  Right(auc=1.0, accuracy=0.6666666666666666)
  """
  area = load('sklearn.metrics').roc_auc_score
  classes = [labels == k for k in range(probabilities.shape[1])]
  areas = [area(of, p) for of, p in zip(classes, probabilities.T) if 0 < of.sum() < len(labels)]
  return Right(float(np.mean(areas)) if areas else float('nan'),
               float((probabilities.argmax(1) == labels).mean()))


def _fitted(name: Name, x: np.ndarray, y: np.ndarray, seed: int) -> Any:
  if name == 'boosting':
    stops = bool(np.unique(y, return_counts=True)[1].min() >= 2 / LEFT_OUT)  # both parts see all
    return load('sklearn.ensemble').HistGradientBoostingClassifier(
        max_iter=500 if stops else 100, early_stopping=stops, validation_fraction=LEFT_OUT,
        random_state=seed).fit(x, y)
  kept = np.random.default_rng(seed).permutation(len(x))[round(LEFT_OUT * len(x)):]
  kept = kept if len(np.unique(y[kept])) > 1 else np.arange(len(x))
  model = load('sklearn.pipeline').make_pipeline(
      load('sklearn.impute').SimpleImputer(keep_empty_features=True),
      load('sklearn.preprocessing').StandardScaler(),
      load('sklearn.linear_model').LogisticRegression(max_iter=1000))
  return classifiers.fitted(model, x[kept], y[kept])
