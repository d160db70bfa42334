"""Rows of a table: numbers, classes and days side by side, some of them perhaps missing."""
from collections.abc import Mapping, Sequence
import functools
import json
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.kinds import columns, quantiles, row_layout
from jaxsynth.kinds.columns import checked_rows, Column, Schema
from jaxsynth.kinds.image_kind import labels
from jaxsynth.kinds.kind import Field, Kind
from jaxsynth.kinds.pictures import bars
from jaxsynth.kinds.quantiles import Table
from jaxsynth.kinds.row_layout import Layout, layout_of, padded, picked
from jaxsynth.kinds.row_texts import Label, texts_of
from jaxsynth.metrics.features import extract, of_rows, row_features

NAME = 'row'
WORDS = {'pixel values': 'values', 'pixel value': 'value', 'images': 'rows', 'image': NAME,
         'Images': 'Rows', 'Image': 'Row', 'pixels': 'values', 'pixel': 'value',
         'Pixels': 'Values', 'Brightness': 'Level', 'brightness': 'level'}


def rows(schema: Sequence[Column], tables: Sequence[Table | None], size: int,
         label: Label | None = None, num_classes: int | None = None,
         class_names: Sequence[str] | None = None) -> Kind:
  """Rows of one table, in a model as `layout` says.

  A number, a whole number or a day is there the normal score of its mid-quantile among the rows
  that were fitted, and is drawn by their quantile function: one of the values that there were,
  if those were at most 512, else one between at most 1,024 of them. A class `k` of `K` is the
  middle of the `k`-th of `K` parts of [-1, 1], and is drawn by all of that part.

  Args:
    schema: of the columns; see `fit`.
    tables: a column of numbers each, else `None`.
    size: how many rows they were fitted on.
    label: the column that the labels are, if it is known.
    num_classes: of the labels, or `None` for none.
    class_names: of the labels, in their order; numbers by default.

  Raises:
    ValueError: tables that are not one a column of numbers, or fewer than two rows.

  >>> schema = (Column('age', 'integer'), Column('sex', 'category', ('f', 'm')))
  >>> table = np.array([[30, 0], [40, 1], [50, 1]], np.float32)
  >>> kind = of_settings(fit(table, schema))
  >>> kind.in_model({'row': table})['row'].round(2).tolist()
  [[-1.0, -0.5], [0.0, 0.5], [1.0, 0.5]]
  >>> kind.on_disk(jnp.array([[.9, -.1]])).tolist()
  [[50.0, 0.0]]
  """
  schema, tables = tuple(schema), tuple(tables)
  if not schema or [column.discrete for column in schema] != [x is None for x in tables]:
    raise ValueError(f'{len(schema)} columns and {len(tables)} tables: expected one each, of '
                     'numbers, integers and dates alone')
  known = layout_of(schema, tables, size)
  fields = {NAME: Field((len(schema),), 'float32', 'numbers'), **labels(num_classes, class_names)}
  to_disk, to_model = _conversions(schema, tables, size)
  seen = functools.partial(_seen, to_model)
  compared = lambda values: extract(_features(known, 'auto', False), seen(values))
  return Kind(
      fields, to_disk, lambda arrays: bars(seen(arrays[NAME])), NAME, 'rows', to_model,
      lambda values, who: checked_rows(values, schema, who), functools.partial(_features, known),
      lambda values, side: compared(values),
      None if num_classes is None else 'label', _settings(schema, tables, size, label),
      tuple(column.name for column in schema),
      functools.partial(texts_of, schema, label, class_names),
      compared, shows_real=False, meaning=_meaning(schema), repeats=True,
      words=WORDS)


def fit(values: Any, schema: Sequence[Column], who: str = 'rows') -> dict[str, Any]:
  """`Kind.settings` of rows like these: what `of_settings` takes.

  Args:
    values: numbers `[N, C]`, N > 1, as `checked_rows` has them.
    schema: of their columns.
    who: has them, for messages.

  Raises:
    ValueError: as `checked_rows`; one row; or a column of numbers without any.
  """
  x, schema = checked_rows(values, schema, who), tuple(schema)
  if len(x) < 2:
    raise ValueError(f'{who}: one row; expected at least 2, to learn from')
  tables: list[Table | None] = []
  for j, column in enumerate(schema):
    there = x[:, j][~np.isnan(x[:, j])]
    if not column.discrete and not len(there):
      raise ValueError(f'{who}: {column.name} is missing in all {len(x):,} rows; leave the column '
                       'out')
    tables.append(None if column.discrete else quantiles.fitted(there))
  return _settings(schema, tuple(tables), len(x), None)


def of_settings(settings: Mapping[str, Any], num_classes: int | None = None,
                class_names: Sequence[str] | None = None) -> Kind:
  """Rows by the settings of their kind, as they are or as JSON has brought them back.

  Args:
    settings: as `fit` gives them.
    num_classes: of the labels, or `None` for none.
    class_names: of the labels, in their order.

  Raises:
    ValueError: settings of other rows or none, see `rows`.
  """
  schema, tables = _parts(settings)
  label = settings.get('label')
  return rows(schema, tables, int(settings['size']), None if label is None else Label(*label),
              num_classes, class_names)


def layout(kind: Kind) -> Layout:
  """Where each column of a kind's rows lies in a model, and what it may be there.

  Raises:
    ValueError: no kind of rows.
  """
  if kind.name != NAME:
    raise ValueError(f'examples are {kind.plural}: expected rows of a table')
  return layout_of(*_parts(kind.settings), int(kind.settings['size']))


def seen_columns(kind: Kind) -> tuple[row_features.Column, ...]:
  """The columns of a kind's rows, as features take them.

  Raises:
    ValueError: no kind of rows.
  """
  return _seen_columns(layout(kind))


def _settings(schema: Schema, tables: tuple[Table | None, ...], size: int, label: Label | None
              ) -> dict[str, Any]:
  kept = {column.name: {k: list(v) if isinstance(v, tuple) else v
                        for k, v in table._asdict().items()}
          for column, table in zip(schema, tables) if table is not None}
  return {'kind': NAME, 'schema': columns.to_json(schema), 'size': int(size), 'tables': kept,
          **({} if label is None else {'label': list(label)})}


def _meaning(schema: Schema) -> str:
  """Names, types and classes; values may be missing in one set and not in another."""
  return json.dumps(columns.to_json([column._replace(missing=False) for column in schema]))


def _parts(settings: Mapping[str, Any]) -> tuple[Schema, tuple[Table | None, ...]]:
  schema = columns.of_json(settings['schema'])
  kept = settings['tables']
  return schema, tuple(Table.of_json(kept[column.name]) if column.name in kept else None
                       for column in schema)


@functools.lru_cache(maxsize=16)  # one function for one table, so that it is compiled once
def _conversions(schema: Schema, tables: tuple[Table | None, ...], size: int) -> tuple[Any, Any]:
  known = layout_of(schema, tables, size)
  values, positions, missing_at = _encoding(schema, tables, size)
  knots = [quantiles.knots(table, size) for column, table in zip(known.columns, tables)
           if table is not None and not column.size]
  knots_at = padded([row_layout.squeezed(at, schema[i].missing).tolist()
                     for i, (at, _) in zip(known.continuous, knots)], np.inf)
  knots_of = padded([of.tolist() for _, of in knots], 0.)
  order = np.argsort([*known.discrete, *known.continuous])
  whole, lacking = (np.array([test(schema[i]) for i in known.continuous], bool)[None] for test in (
      lambda column: column.type != 'number', lambda column: column.missing))
  interpolated = jax.vmap(jnp.interp, (1, 0, 0), 1)

  def to_model(given: Any) -> Array:
    x = jnp.asarray(given, jnp.float32)
    return jnp.where(jnp.isnan(x), missing_at[None], interpolated(x, values, positions))

  def to_disk(drawn: Any) -> dict[str, Array]:
    x = drawn.astype(jnp.float32)
    atoms = picked([known.columns[i].values for i in known.discrete], known.codes(x))
    at = x[:, np.array(known.continuous, int)]
    between = interpolated(at, knots_at, knots_of)
    between = jnp.where(whole, jnp.round(between), between)
    between = jnp.where(lacking & (at < row_layout.BETWEEN), jnp.nan, between)
    return {NAME: jnp.concatenate([atoms, between], 1)[:, order]}
  return to_disk, to_model


def _encoding(schema: Schema, tables: tuple[Table | None, ...], size: int
              ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Of each column its values on disk, rising, where a model sees them, and where if missing."""
  values, positions, missing_at = [], [], []
  for column, known, table in zip(schema, layout_of(schema, tables, size).columns, tables):
    if table is not None and not known.size:
      values.append(list(table.values))
      positions.append(row_layout.squeezed(
          quantiles.middles(table, size), column.missing).tolist())
      missing_at.append(row_layout.MISSING)
      continue
    there = [i for i, value in enumerate(known.values) if value == value]
    values.append([known.values[i] for i in there])
    positions.append([known.positions[i] for i in there])
    missing_at.append(known.positions[-1 if column.discrete else 0])
  most = padded(positions, np.nan)
  last = np.array([x[-1] for x in positions], np.float32)[:, None]
  return padded(values, np.inf), np.where(np.isnan(most), last, most), np.array(
      missing_at, np.float32)


def _seen(to_model: Any, values: Any) -> np.ndarray:
  """Rows as on disk as models see them, on the host."""
  return np.asarray(_compiled(to_model)(np.asarray(values, np.float32)))


@functools.lru_cache(maxsize=16)
def _compiled(function: Any) -> Any:
  return jax.jit(function)


def _features(known: Layout, name: str, digits: bool) -> Any:
  return of_rows(_seen_columns(known), known.reach, name, digits)


def _seen_columns(known: Layout) -> tuple[row_features.Column, ...]:
  classes = ('category', 'ordered')  # numbers of which there are few are numbers all the same
  return tuple(row_features.Column(column.size if column.type in classes else 0, column.missing)
               for column in known.columns)
