"""The page for the eye: what it holds, what it hides, and its arithmetic."""
import json
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest

from jaxsynth.data.examples import Examples
from jaxsynth.metrics.score import wilson
from jaxsynth.pages import blind

RNG = np.random.default_rng(0)
EVIL = '</script><script>alert(1)</script>'


def made(n=12):
  real, fake = (Examples(name, RNG.integers(0, 256, (20, 8, 8, 1), np.uint8), np.arange(20) % 2)
                for name in ('real', EVIL))
  return real, fake, blind.page(real, fake, ['a', EVIL], n, 3)


def payload(text):
  return json.loads(re.search(r'^const data = (\{.*\});$', text, re.M)[1])


def scripted(code):
  """What the page's own arithmetic gives, run by node."""
  if shutil.which('node') is None:
    pytest.skip('node is not installed: the arithmetic of blind.html is not run')
  page = (pathlib.Path(blind.__file__).parent / 'blind.html').read_text()
  own = page[page.index('// arithmetic'):page.index('// end of arithmetic')]
  done = subprocess.run(['node', '-e', f'{own}\nconsole.log(JSON.stringify({code}))'], text=True,
                        capture_output=True, check=True)
  return json.loads(done.stdout)


def test_the_page_is_whole_and_tells_no_answer():
  real, fake, text = made()
  data = payload(text)
  assert len(data['images']) == 12 == len(set(data['images']))
  assert text.count('<script>') == 1 and 'alert(1)' not in text and 'src="http' not in text
  assert "default-src 'none'" in text
  assert made()[2] != text  # other images
  again = blind.page(real, fake, ['a', EVIL], 12, 3)
  assert again == text and blind.page(real, fake, ['a', EVIL], 12, 4) != text
  names = set(data)
  assert names == {'images', 'key', 'sealed'}


def test_the_answers_open_and_are_half_real():
  real, _, text = made()
  data = payload(text)
  secret = scripted(f"opened({json.dumps(data['sealed'])}, {data['key']})")
  kinds = [a['kind'] for a in secret['answers']]
  assert kinds.count('real') == kinds.count('synthetic') == 6
  assert secret['synthetic'] == EVIL and {a['class'] for a in secret['answers']} <= {'a', EVIL}
  pngs = {blind.base64.b64encode(blind.png(x)).decode() for x in real.images}
  assert [image in pngs for image in data['images']] == [kind == 'real' for kind in kinds]


def test_the_interval_is_wilsons():
  cases = [(0, 1), (1, 1), (5, 100), (50, 100), (199, 200), (7, 12)]
  intervals = scripted(f'{json.dumps(cases)}.map(([k, n]) => wilson(k, n))')
  for (k, n), (low, high) in zip(cases, intervals):
    want = wilson(k, n)
    assert (low, high) == pytest.approx((want.low, want.high), abs=1e-12)


def test_the_tally_counts_each_kind():
  answers = [{'kind': k, 'class': c} for k, c in (
      ('real', '10'), ('real', '9'), ('synthetic', '9'), ('synthetic', '10'))]
  rows = scripted(f"tally(['real', 'synthetic', 'synthetic'], {json.dumps(answers)})")
  assert [(r['name'], r['hits'], r['total']) for r in rows] == [
      ('all', 2, 3), ('real', 1, 2), ('synthetic', 1, 1), ('class 9', 1, 2), ('class 10', 1, 1)]


@pytest.mark.parametrize('n', [3, 42])
def test_other_numbers_are_refused(n):
  with pytest.raises(ValueError, match='expected an even number'):
    made(n)
