"""The wheel: what `pip install` gives, and that it needs nothing of the checkout."""
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parent.parent
# as in a researcher's notebook
SCORES = '''
import numpy as np
from jaxsynth import downstream, evaluation, quality, runs
synthetic, real = np.random.default_rng(0).integers(0, 256, (2, 200, 8, 8, 1), np.uint8)
scores = evaluation.score_arrays(synthetic, real, net='pixels')
print(sorted(name for name, score in scores.items() if np.isfinite(score.value)))
'''

pytestmark = pytest.mark.long


@pytest.fixture(scope='module')
def site(tmp_path_factory):
  """A folder with what the wheel holds, and nothing else."""
  folder = tmp_path_factory.mktemp('wheel')
  source = folder / 'source'
  source.mkdir()
  for name in ('setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE'):
    shutil.copy(ROOT / name, source)
  shutil.copytree(ROOT / 'jaxsynth', source / 'jaxsynth',
                  ignore=shutil.ignore_patterns('__pycache__'))
  subprocess.run([sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps', '--no-index',
                  '--no-build-isolation', '--disable-pip-version-check', '--wheel-dir', folder,
                  source], check=True)
  wheel, = folder.glob('jaxsynth-*.whl')
  with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder / 'site')
  return folder / 'site'


def test_it_holds_all_of_the_package_and_nothing_else(site):
  inside = {str(p.relative_to(site)) for p in site.rglob('*') if p.is_file()}
  code = {str(p.relative_to(ROOT)) for p in (ROOT / 'jaxsynth').rglob('*')
          if p.is_file() and '__pycache__' not in p.parts}
  assert code <= inside
  assert {name.split('/')[0] for name in inside - code} == {
      next(p.name for p in site.glob('*.dist-info'))}


def test_sets_are_scored_with_the_package_alone(site, tmp_path):
  """In an empty folder, with the wheel first on the path; an editable install is after it."""
  code = f'import sys; sys.path.insert(0, {str(site)!r})\n{SCORES}\n' + (
      'for name, module in sorted(sys.modules.items()):\n'
      '  if name.split(".")[0] in ("jaxsynth", "common", "stages", "experiments"):\n'
      '    print(module.__file__)')
  bare = {name: x for name, x in os.environ.items() if name not in ('PYTHONPATH', 'PYTHONHOME')}
  done = subprocess.run([sys.executable, '-P', '-c', code], cwd=tmp_path, text=True, env=bare,
                        capture_output=True)
  assert done.returncode == 0, done.stderr
  scores, *places = done.stdout.splitlines()
  assert 'frechet' in scores and 'precision' in scores, scores
  assert len(places) > 50
  assert not [place for place in places if site not in pathlib.Path(place).parents]
  assert len([line for line in SCORES.splitlines() if line]) == 5
