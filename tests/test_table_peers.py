"""Scores of tables against SDMetrics', which others publish by."""
import numpy as np
import pytest

from jaxsynth.kinds.columns import Column
from jaxsynth.metrics.tables import detection, shapes, trends

sdmetrics = pytest.importorskip('sdmetrics', reason='pip install sdmetrics, to compare with it')
pd = pytest.importorskip('pandas')
SCHEMA = (Column('height', 'number', missing=True), Column('age', 'integer'),
          Column('gain', 'integer'), Column('eyes', 'category', ('blue', 'brown', 'green'), True),
          Column('size', 'ordered', ('S', 'M', 'L', 'XL')), Column('born', 'date', missing=True))


def table(n, seed, shift=0.):
  rng = np.random.default_rng(seed)
  height, size = rng.normal(170 + shift, 9, n), rng.integers(0, 4, n)
  rows = np.stack([height, rng.integers(0, 90, n), rng.integers(0, 2, n) * rng.geometric(.01, n),
                   rng.integers(0, 3, n), np.clip(size + (height > 175), 0, 3),
                   rng.integers(0, 20000, n)], 1).astype(np.float32)
  rows[rng.random(n) < .1, 0] = np.nan
  rows[rng.random(n) < .2, 3] = np.nan
  rows[rng.random(n) < .05, 5] = np.nan
  return rows


def frame(rows):
  columns = {}
  for column, values in zip(SCHEMA, rows.astype(np.float64).T):
    if column.discrete:
      names = np.array([*column.categories, None], object)
      columns[column.name] = names[np.where(np.isnan(values), len(names) - 1, values).astype(int)]
    elif column.type == 'date':
      columns[column.name] = pd.to_datetime(values, unit='D')
    else:
      columns[column.name] = values
  return pd.DataFrame(columns)


def metadata():
  types = {'number': 'numerical', 'integer': 'numerical', 'date': 'datetime',
           'category': 'categorical', 'ordered': 'categorical'}
  return {'columns': {column.name: {'sdtype': types[column.type]} for column in SCHEMA}}


@pytest.fixture(scope='module')
def tables():
  return table(4000, 0), table(3000, 1, shift=2.)


def report(tables, **settings):
  from sdmetrics.reports.single_table import QualityReport
  quality = QualityReport()
  for name, value in settings.items():
    setattr(quality, name, value)
  quality.generate(*map(frame, tables), metadata(), verbose=False)
  return quality


@pytest.mark.filterwarnings('ignore')  # pandas', of the peer's code
def test_shape_and_trend_are_sdmetrics(tables):
  quality = report(tables, real_correlation_threshold=0, real_association_threshold=0)
  ours = shapes.shape(*tables, SCHEMA), trends.trend(*tables, SCHEMA)
  np.testing.assert_allclose([x.mean for x in ours], quality.get_properties()['Score'], atol=1e-6)
  theirs = quality.get_details('Column Shapes')['Score']
  np.testing.assert_allclose(ours[0].scores, theirs, atol=1e-6)
  place = {column.name: j for j, column in enumerate(SCHEMA)}
  pairs = quality.get_details('Column Pair Trends')
  assert len(pairs) == 15
  for _, row in pairs.iterrows():
    np.testing.assert_allclose(ours[1].scores[place[row['Column 1']], place[row['Column 2']]],
                               row['Score'], atol=1e-6, err_msg=str(row))


@pytest.mark.filterwarnings('ignore')
def test_ties_are_those_that_sdmetrics_counts_by_default(tables):
  quality = report(tables)
  np.testing.assert_allclose(trends.trend(*tables, SCHEMA).tied,
                             quality.get_properties()['Score'][1], atol=1e-6)


@pytest.mark.filterwarnings('ignore')
def test_missing_is_sdmetrics(tables):
  from sdmetrics.single_column import MissingValueSimilarity
  real, made = map(frame, tables)
  theirs = [MissingValueSimilarity.compute(real[name], made[name]) for name in real]
  np.testing.assert_allclose(shapes.missing(*tables, SCHEMA), theirs, atol=1e-9)


@pytest.mark.filterwarnings('ignore')
def test_detection_is_sdmetrics(tables, monkeypatch):
  """On the same folds; the peer does not seed its own."""
  from sdmetrics.single_table import LogisticDetection
  from sdmetrics.single_table.detection import base
  whole = tables[0][:, :5], tables[1][:, :5]  # how the peer scales days is its own affair
  schema = SCHEMA[:5]
  folds = base.StratifiedKFold
  monkeypatch.setattr(base, 'StratifiedKFold', lambda n_splits, shuffle: folds(
      n_splits, shuffle=shuffle, random_state=7))
  columns = {name: x for name, x in metadata()['columns'].items() if name != 'born'}
  theirs = LogisticDetection.compute(*(frame(x)[list(columns)] for x in tables),
                                     {'columns': columns})
  ours = detection.detection(*whole, schema, 'logistic', seed=7)
  np.testing.assert_allclose(ours.score, theirs, atol=1e-5)
