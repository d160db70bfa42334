"""A kind from what a record keeps of it."""
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jaxsynth.kinds.image_kind import images
from jaxsynth.kinds.kind import Kind
from jaxsynth.kinds.row_kind import of_settings
from jaxsynth.kinds.series_kind import series

# `(shape, num_classes, class_names, **settings) -> Kind`, by the name that its settings say
KINDS: dict[str, Callable[..., Kind]] = {
    'image': images,
    'series': lambda shape, num_classes, names, low, high, columns=None: series(
        shape, low, high, num_classes, names, columns),
    'row': lambda shape, num_classes, names, **settings: of_settings(
        settings, num_classes, names)}


def kind_of_record(shape: Sequence[int], settings: Mapping[str, Any],
                   num_classes: int | None = None, class_names: Sequence[str] | None = None
                   ) -> Kind:
  """The kind whose `shape` and `settings` these are, with labels of its samples or without.

  Args:
    shape: of the array that models learn.
    settings: `Kind.settings`; empty for images.
    num_classes: of the labels, or `None` for none.
    class_names: of the labels, in their order.

  Raises:
    ValueError: a kind that this version does not know.

  >>> again = kind_of_record((24, 1), series((24, 1), [0.], [1.]).settings, 3)
  >>> again.name, again.shape, sorted(again.fields)
  ('series', (24, 1), ['label', 'series'])
  """
  rest = dict(settings)
  name = rest.pop('kind', 'image')
  if name not in KINDS:
    raise ValueError(f'examples of the kind {name!r}: expected {", ".join(KINDS)}; a newer version '
                     'may know it')
  return KINDS[name](shape, num_classes, class_names, **rest)
