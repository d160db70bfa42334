"""Pages are written of images; of another kind they say what that calls its examples."""
from collections.abc import Mapping
import re
from typing import Any

from jaxsynth.report import Code, Figure, Links, Page, Table

IN_PICTURES = re.compile(r'(<text[^>]*>)([^<]*)(?=</text>)')


def worded(page: Page, words: Mapping[str, str]) -> Page:
  """The page in the words of a kind; of images as it is.

  Args:
    page: written of images.
    words: `Kind.words` of the examples that it is of.

  >>> from jaxsynth.kinds.series_kind import series
  >>> worded(Page('Images of hearts', 'No image is bad.', ()), series((9, 1), [0.], [1.]).words)[:2]
  ('Series of hearts', 'No series is bad.')
  """
  return _changed(page, words) if words else page


def _changed(part: Any, words: Mapping[str, str]) -> Any:
  if isinstance(part, str):
    return re.sub(rf'\b({"|".join(words)})\b', lambda word: words[word[0]], part)
  if isinstance(part, Figure):
    drawn = IN_PICTURES.sub(lambda text: text[1] + _changed(text[2], words), part.picture)
    return part._replace(picture=drawn, meaning=_changed(part.meaning, words),
                         alt=_changed(part.alt, words))
  if isinstance(part, Code):  # it has paths
    return part
  if isinstance(part, Links):
    return part._replace(text=_changed(part.text, words))
  if isinstance(part, Table):  # single words are names, of classes say
    rows = [[_changed(cell, words) if isinstance(cell, str) and ' ' in cell else cell
             for cell in row] for row in part.rows]
    return Table(_changed(part.caption, words), [_changed(x, words) for x in part.columns], rows)
  if isinstance(part, tuple) and hasattr(part, '_fields'):
    return type(part)(*(_changed(x, words) for x in part))
  return [_changed(x, words) for x in part] if isinstance(part, (list, tuple)) else part
