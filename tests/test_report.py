"""The HTML page: self-contained, escaped, readable by machines that read aloud."""
from html.parser import HTMLParser
import re

import numpy as np
import pytest

from jaxsynth import report
from jaxsynth.report import svg

EVIL = '<script>alert("1")</script> & $x_1$ \'q\' 猫'
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)


class Reader(HTMLParser):
  """What a browser would see."""

  def __init__(self, text):
    super().__init__()
    self.tags, self.ids, self.attributes, self.open, self.text = [], [], [], [], ''
    self.feed(text)
    self.close()

  def handle_starttag(self, tag, attrs):
    self.tags.append(tag)
    self.attributes += attrs
    self.ids += [value for name, value in attrs if name == 'id']
    if tag not in ('meta', 'img', 'br', 'link'):
      self.open.append(tag)

  def handle_startendtag(self, tag, attrs):
    self.handle_starttag(tag, attrs)
    if tag not in ('meta', 'img', 'br', 'link'):
      self.open.pop()

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    self.text += data


def figures():
  rng = np.random.default_rng(0)
  at, mean = np.arange(1, 5), np.linspace(0, 1, 4)
  return {
      'bars': report.bars([EVIL, 'b'], {EVIL: [1, 2], 'test': [3, 4]}),
      'histograms': report.histograms({EVIL: rng.normal(size=50), 'synthetic': [1., np.nan]}),
      'log': report.binned({'a': [1, 0, 100]}, np.arange(4), log=True, x=EVIL),
      'scatter': report.scatter({EVIL: rng.normal(size=(2000, 2)), 'b': rng.normal(size=(9, 2))}),
      'curve': report.curve(at, {EVIL: (mean, mean - 1, mean + 1), 'b': mean}, log_x=True),
      'maps': report.maps({EVIL: rng.normal(size=(4, 4)), 'b': np.full((2, 3), np.nan)}),
      'grid': report.image_grid(IMAGES),
      'captions': report.image_grid(IMAGES / 127.5 - 1, [EVIL] * 6),
      'pairs': report.pairs(IMAGES[..., :1], IMAGES[..., 1:2], [EVIL] * 6)}


@pytest.fixture(scope='module')
def html():
  drawn = [report.Figure(x, f'meaning {EVIL}', f'alt {EVIL}') for x in figures().values()]
  items = [report.Table(EVIL, ['name', EVIL], [[EVIL, 1234.5], ['b', None]]),
           report.Note(EVIL, 'warning'),
           report.Scores(EVIL, [report.Score(EVIL, 0.5, 0.25, 0.125, 'bad'),
                                report.Score('b', None, mark='good', better='higher')]), *drawn]
  return report.render(report.Page(EVIL, EVIL, [report.Section(EVIL, EVIL, items)] * 3, EVIL))


def test_every_name_is_escaped_everywhere(html):
  page = Reader(html)
  assert 'script' not in page.tags and not page.open
  assert not [name for name, _ in page.attributes if name.startswith('on')]
  assert '<script' not in html and '&lt;script' in html
  assert page.text.count(EVIL) > 30  # and is read as it was written, $ and all
  assert 'mathdefault' not in html


def test_the_page_is_one_file_without_network_or_scripts(html):
  page = Reader(html)
  assert not {'script', 'link', 'iframe', 'object', 'base', 'form'} & set(page.tags)
  for name, value in page.attributes:
    if name in ('src', 'href', 'xlink:href', 'srcset', 'data', 'action'):
      assert value.startswith(('data:image/png;base64,', '#')), value[:60]
  assert '@import' not in html and not re.search(r'url\((?!#)', html)
  assert "default-src 'none'" in html and 'width=device-width' in html


def test_names_inside_the_page_are_used_once_and_found(html):
  three = Reader(html)  # the same figures three times: the same definitions
  used = {v[1:] for n, v in three.attributes if n in ('href', 'xlink:href') and v[0] == '#'}
  assert used <= set(three.ids)
  one = Reader(report.render(report.Page('a', '', [report.Section('b', '', [
      report.Figure(x, 'm', 'a') for x in figures().values()])])))
  assert len(one.ids) == len(set(one.ids))


def test_figures_have_meaning_and_alternative_text_and_marks_have_words(html):
  page = Reader(html)
  assert page.tags.count('figure') == page.tags.count('figcaption') == 27
  roles = [v for n, v in page.attributes if (n, v) == ('role', 'img')]
  labels = [v for n, v in page.attributes if n == 'aria-label' and v == f'alt {EVIL}']
  assert len(roles) == len(labels) == 27
  assert page.tags.count('caption') == page.tags.count('table') == 6
  for word in ('▲ good', '▼ bad', 'n/a', '1,234', '± 0.125', 'Warning'):
    assert word in page.text.replace('\xa0', ' '), word
  assert ('lang', 'en') in page.attributes


def test_equal_data_give_equal_bytes():
  assert figures() == figures()


@pytest.mark.parametrize('names', [
    ['real', 'synthetic'],
    ['real', 'real, augmented', *(f'+ {p} synthetic' for p in (.1, .5, 1, 5))],
    ['a name so long that it has a row of its own', 'another one that is as long as that']])
def test_a_legend_leaves_the_plot_its_width(names):
  with svg.axes() as (ax, _):
    for name in names:
      ax.plot([0, 1], [0, 1], label=name)
    svg.legend(ax)
    ax.figure.draw_without_rendering()
    assert ax.get_position().width > .75
    box = ax.get_legend().get_window_extent()
    assert 0 <= box.x0 and box.x1 <= ax.figure.bbox.x1


def test_bars_lie_where_names_are_long_and_show_every_value():
  upright = report.bars(list('abc'), {'x': [1, 2, 3]})
  lying = report.bars([f'a long name {i}' for i in range(20)], {'x': np.arange(20)})
  size = lambda svg: [float(x) for x in re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups()]
  assert size(upright)[0] > size(upright)[1] and size(lying)[1] > size(upright)[1]
  assert 'a long name 19' in lying


def test_image_bytes_are_the_images():
  import base64
  import io
  from PIL import Image
  found = re.findall(r'width="(\d+)" height="(\d+)" src="data:image/png;base64,([^"]+)',
                     report.image_grid(IMAGES, list('abcdef')))
  assert len(found) == 6 and found[0][:2] == ('80', '80')
  for (_, _, code), want in zip(found, IMAGES):
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(base64.b64decode(code)))), want)


@pytest.mark.parametrize('make, message', [
    (lambda: report.render(report.Page(' ', '', [])), 'without a title'),
    (lambda: draw(report.Figure('<svg/>', '', ' ')), 'a figure without meaning and alt'),
    (lambda: draw(report.Table('t', ['a', 'b'], [['x', 1], ['y']])),
     "table 't': row 1 has 1 cells, expected 2"),
    (lambda: draw(report.Note('x', 'loud')), "kind 'loud'"),
    (lambda: draw(report.Scores('s', [report.Score('x', 1., mark='ok')])), "mark 'ok'"),
    (lambda: draw('text'), 'str: expected a Table'),
    (lambda: report.bars([], {'a': []}), '0 categories'),
    (lambda: report.bars(['a'], {'a': [1, 2]}), r"'a' of shape \[2\], expected \[1\]"),
    (lambda: report.histograms({'a': [np.nan]}), "no finite values in \\['a'\\]"),
    (lambda: report.binned({'a': [1]}, [0, 1, 2]), r'\[1\] counts, expected \[2\]'),
    (lambda: report.scatter({'a': np.zeros((3, 3))}), r'expected \[N, 2\]'),
    (lambda: report.curve([1, 2], {'a': [1]}), r"'a' of shapes \[\[1\]\], expected \[2\]"),
    (lambda: report.maps({}), 'no panels'),
    (lambda: report.maps({'a': np.zeros(3)}), r'expected \[R, C\]'),
    (lambda: report.image_grid(IMAGES[0]), r'expected \[N, H, W'),
    (lambda: report.image_grid(IMAGES.astype(int)), 'dtype int64'),
    (lambda: report.image_grid(IMAGES, ['a']), '1 captions for 6 images'),
    (lambda: report.pairs(IMAGES, IMAGES[:2]), 'expected the same')])
def test_bad_input_is_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()


def draw(item):
  return report.render(report.Page('a', '', [report.Section('b', '', [item])]))


@pytest.mark.parametrize('missing, make', [
    ('matplotlib', lambda: report.bars(['a'], {'a': [1]})),
    ('jinja2', lambda: report.render(report.Page('a', '', [])))])
def test_a_missing_extra_is_named(monkeypatch, missing, make):
  from jaxsynth.report import html as module
  module._template.cache_clear()
  monkeypatch.setitem(__import__('sys').modules, missing, None)
  with pytest.raises(ImportError, match=rf"needs {missing}: pip install 'jaxsynth\[report\]'"):
    make()
  module._template.cache_clear()


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
  report.write(tmp_path / 'a.html', report.Page('A page', '', []))
  assert '<h1>A page</h1>' in (tmp_path / 'a.html').read_text()
  with pytest.raises(ValueError):
    report.write(tmp_path / 'a.html', report.Page('', '', []))
  assert '<h1>A page</h1>' in (tmp_path / 'a.html').read_text()
  assert len(list(tmp_path.iterdir())) == 1
