"""A page as one HTML file that needs nothing else."""
import functools
import os
import pathlib
import re
from typing import Any
import urllib.parse

from jaxsynth import files
from jaxsynth.report import page as pages
from jaxsynth.report.extra import load

HERE = pathlib.Path(__file__).parent


def render(page: pages.Page) -> str:
  """The page as HTML: every text escaped, styles and pictures inside, no scripts.

  The page forbids itself scripts and the network (Content-Security-Policy), so a
  name in a data set can do neither.

  Args:
    page: titles, texts and items; plain text throughout, but for the pictures that
      this package's functions drew.

  Returns:
    The document.

  Raises:
    ValueError: something a reader needs is missing; see `page.checked`.
    ImportError: jinja2 is not installed.

  >>> text = render(pages.Page('a < b', 'Two numbers.', [pages.Section('Why')]))
  >>> text.startswith('<!doctype html>') and 'a &lt; b' in text
  True
  """
  return _template().render(page=pages.checked(page))


def write(path: str | os.PathLike, page: pages.Page) -> None:
  """Writes the page to `path`: whole, or not there."""
  text = render(page)
  with files.write_aside(path) as f:
    f.write(text.encode())


@functools.cache
def _template() -> Any:
  jinja2 = load('jinja2')
  environment = jinja2.Environment(
      autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
      lstrip_blocks=True, loader=jinja2.FileSystemLoader(HERE))
  environment.filters.update(
      number=pages.number, kind=lambda item: type(item).__name__,
      numeric=lambda x: not isinstance(x, str), quoted=urllib.parse.quote,
      paragraphs=lambda text: [p for p in re.split(r'\n\s*\n', text.strip()) if p])
  environment.globals['style'] = (HERE / 'style.css').read_text(encoding='utf-8')
  environment.globals['marks'] = {'good': '▲', 'neutral': '●', 'bad': '▼'}
  return environment.get_template('page.html')
