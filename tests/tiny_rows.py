"""Objectives of rows at toy size, for the table of the contract tests, whose data are images."""
from jaxsynth.kinds.row_layout import Layout, ModelColumn
from jaxsynth.models.row_draws import draw
from jaxsynth.models.row_mixture import RowMixture
from jaxsynth.models.row_mlp import RowMLP
from jaxsynth.objectives.row_parts import parts_of
from jaxsynth.objectives.table_flow import table_flow
from jaxsynth.objectives.table_mixture import table_mixture

SHAPE = (4, 4, 1)  # of the table's images
THIRDS = ((0., 1., 2.), (-2 / 3, 0., 2 / 3), (-1 / 3, 1 / 3))
# sixteen columns: of classes, of numbers of which there are few or many, with gaps or without
ROW = Layout(tuple(ModelColumn(str(i), *column) for i, column in enumerate(4 * (
    ('category', *THIRDS), ('integer', *THIRDS), ('number',),
    ('number', (), (), (), True)))), 3.)


def of_rows(objective):
  """An objective of rows of sixteen columns, as one of these images."""
  as_row = lambda batch: {'row': batch['image'].reshape(-1, 16), 'label': batch['label']}
  return objective._replace(
      init=lambda key, batch: objective.init(key, as_row(batch)),
      loss=lambda params, variables, batch, ctx: objective.loss(
          params, variables, as_row(batch), ctx),
      sample=lambda *args: objective.sample(*args).reshape(-1, *SHAPE))


def tiny_mixture(num_classes=None):
  return of_rows(table_mixture(RowMixture(ROW, 3, num_classes), draw, hidden=.3))


def tiny_table_flow(num_classes=None):
  parts = parts_of(ROW, 2)
  return of_rows(table_flow(RowMLP(sum(parts.sizes), 8, 1), parts, num_classes=num_classes,
                            steps=3))
