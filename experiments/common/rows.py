"""Where the columns of a table lie, for families of models that learn its rows."""
from jaxsynth import runs
from jaxsynth.kinds.row_kind import layout, NAME
from jaxsynth.kinds.row_layout import Layout


def layout_of(about: runs.About) -> Layout:
  """The layout of the rows that a model is built for.

  Raises:
    runs.RunError: the data are of another kind.
  """
  if about.kind is None or about.kind.name != NAME:
    raise runs.RunError(f'{about.name}: examples of shape {list(about.image_shape)}, and this '
                        'model is of the rows of a table, a .csv or an .npz file with --table or '
                        '--label_column, or breast_cancer')
  return layout(about.kind)
