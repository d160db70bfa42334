"""The house: who may import whom, and what importing costs."""
import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / 'jaxsynth'

# room: the rooms of jaxsynth it may import; a room is a folder or a file
ROOMS = {
    '__init__': set(),
    'types': set(),
    'keys': {'types'},
    'ema': {'types'},
    'files': set(),
    'images': {'files'},
    'loops': set(),
    'train_step': {'types', 'ema', 'loops'},
    'accumulate': {'types', 'train_step'},
    'losses': set(),
    'ops': set(),
    'objectives': {'types', 'keys', 'losses'},
    'models': {'ops'},
    'data': {'types', 'keys', 'metrics'},
    # objectives: for the one file that knows how a network is called
    'metrics': {'types', 'keys', 'files', 'objectives'},
    'synthesis': {'types', 'keys', 'files', 'data', 'metrics', 'ops'},
    'loop': {'types'},
    'hooks': {'types'},
    'report': {'files', 'images'},
    'tensorboard': set(),
    'checkpoint': {'types', 'ema'},
}
HEAVY = ('tensorflow', 'tensorflow_datasets', 'orbax', 'matplotlib', 'mlxtend', 'tensorboardX',
         'PIL', 'scipy.stats', 'jinja2')


def imported(path):
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      assert node.level == 0, f'{path}: relative import'
      yield node.module
      yield from (f'{node.module}.{alias.name}' for alias in node.names)


def room(path):
  first = path.relative_to(PACKAGE).parts[0]
  return first.removesuffix('.py')


@pytest.mark.parametrize('path', sorted(PACKAGE.rglob('*.py')),
                         ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_stay_in_the_plan(path):
  own = room(path)
  assert own in ROOMS, f'{path.name}: give it a room in the table above'
  for name in imported(path):
    parts = name.split('.')
    assert parts[0] not in ('experiments', 'build', 'options'), name
    assert own == 'models' or parts[0] not in ('flax', 'haiku', 'equinox'), name
    assert own == 'checkpoint' or parts[0] != 'orbax', name
    if parts[0] == 'jaxsynth' and len(parts) > 1:
      assert parts[1] == own or parts[1] in ROOMS[own], f'{own} imports {name}'
    assert not name.startswith('absl.flags') and name != 'absl.app', 'flags never enter'


@pytest.mark.parametrize('path', sorted(
    p for folder in ('jaxsynth', 'experiments', 'tests') for p in (ROOT / folder).rglob('*.py')),
    ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_small(path):
  assert len(path.read_text().splitlines()) <= 300


def run(code):
  return subprocess.run([sys.executable, '-c', code], text=True, check=True, cwd=ROOT,
                        capture_output=True).stdout.strip()


def test_import_loads_nothing_heavy():
  loaded = run('import sys, jaxsynth, jaxsynth.train_step, jaxsynth.objectives, '
               'jaxsynth.models.dcgan, jaxsynth.data, jaxsynth.loop, jaxsynth.hooks, '
               'jaxsynth.report\n'
               f'print([m for m in {HEAVY} if m in sys.modules])')
  assert loaded == '[]'
  assert run('import sys, jaxsynth\nprint("jax" in sys.modules)') == 'False'


@pytest.mark.parametrize('order', [
    'import jaxsynth.train_step as a; from jaxsynth import train_step as b',
    'from jaxsynth import train_step as b; import jaxsynth.train_step as a',
    'import jaxsynth, jaxsynth.objectives; import jaxsynth.train_step as a; '
    'b = jaxsynth.train_step'])
def test_train_step_is_one_module_in_every_import_order(order):
  assert run(f'{order}\nprint(a is b, callable(a.train_step))') == 'True True'
