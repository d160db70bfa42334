"""The house: who may import whom, and what importing costs."""
import ast
import importlib
import pathlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import jaxsynth

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / 'jaxsynth'
PROGRAMS = ROOT / 'experiments'

LEAVES = {'types', 'keys', 'kinds', 'rules', 'files', 'pixels', 'data', 'metrics', 'synthesis',
          'report', 'images', 'privacy'}
# room: the rooms of jaxsynth it may import; a room is a folder or a file
ROOMS = {
    '__init__': set(),
    'types': set(),
    'keys': {'types'},
    'rules': {'kinds'},
    'baselines': {'kinds'},
    # metrics: default features, and examples that are checked
    'kinds': {'pixels', 'metrics'},
    'conditions': set(),
    'pixels': set(),
    'ema': {'types'},
    'files': set(),
    'images': {'files'},
    'scanning': set(),
    'fsdp': {'types'},
    'hosts': {'types'},
    'digests': {'types', 'hosts'},
    'train_step': {'types', 'ema', 'fsdp', 'scanning'},
    'accumulate': {'types', 'scanning', 'train_step'},
    'privacy': {'types', 'keys', 'files', 'data', 'metrics', 'ops', 'train_step'},
    'parallel': {'types', 'fsdp', 'hosts', 'train_step'},
    'losses': set(),
    'ops': set(),
    'objectives': {'types', 'keys', 'conditions', 'losses'},
    'models': {'conditions', 'ops'},
    # metrics: examples that are checked, and analyses of features
    'data': {'types', 'keys', 'files', 'conditions', 'pixels', 'kinds', 'rules', 'metrics'},
    # objectives: for the one file that knows how a network is called
    'metrics': {'types', 'keys', 'files', 'pixels', 'objectives'},
    'synthesis': {'types', 'keys', 'files', 'pixels', 'kinds', 'data', 'metrics', 'ops', 'privacy'},
    'loop': {'types'},
    'hooks': {'types'},
    'report': {'files', 'images', 'pixels'},
    'tensorboard': set(),
    'stored': {'types', 'digests', 'files', 'hosts'},
    'checkpoint': {'types', 'digests', 'ema', 'files', 'hosts', 'stored'},
    'runs': LEAVES | {'ema', 'accumulate', 'train_step', 'parallel', 'loop', 'hooks', 'hosts',
                      'checkpoint', 'tensorboard'},
    # ema: attacks ask the averaged model
    'evaluation': LEAVES | {'runs', 'ema'},
    # both train classifiers: networks, an objective, a step
    'downstream': LEAVES | {'runs', 'ema', 'train_step', 'loop', 'hooks', 'models', 'objectives'},
    'quality': LEAVES | {'runs', 'evaluation', 'downstream', 'train_step', 'checkpoint', 'models',
                         'objectives'},
    'pages': LEAVES | {'runs', 'evaluation', 'downstream', 'quality'},
}
# first loaded where they are used
HEAVY = ('tensorflow', 'tensorflow_datasets', 'orbax', 'matplotlib', 'mlxtend', 'arch',
         'tensorboardX', 'PIL', 'scipy.stats', 'jinja2', 'jax_privacy', 'dp_accounting')
LIGHT = ('train_step', 'objectives', 'models.dcgan', 'data', 'loop', 'hooks', 'report', 'metrics',
         'synthesis', 'parallel', 'runs', 'evaluation', 'downstream', 'quality', 'pages', 'privacy')
# of experiments/: what a person runs, and packages of what those share
TOP = sorted(path.stem for path in PROGRAMS.glob('*.py'))
SHARED = ('common', 'stages')
OURS = {path.stem for path in PROGRAMS.rglob('*.py')} | {
    path.name for path in PROGRAMS.rglob('*') if path.is_dir()} | {'experiments'}


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


def name_of(path):
  return str(path.relative_to(ROOT))


LIBRARY = pytest.mark.parametrize('path', sorted(PACKAGE.rglob('*.py')), ids=name_of)


@LIBRARY
def test_imports_stay_in_the_plan(path):
  inside = room(path)
  assert inside in ROOMS, f'{path.name}: give it a room in the table above'
  for name in imported(path):
    parts = name.split('.')
    assert parts[0] not in OURS, f'{name}: nothing of experiments/ enters the library'
    assert inside == 'models' or parts[0] not in ('flax', 'haiku', 'equinox') or (
        path.name == 'record.py' and parts[0] == 'flax'), name  # a record says its version
    assert inside in ('checkpoint', 'stored') or parts[0] != 'orbax', name
    if parts[0] == 'jaxsynth' and len(parts) > 1:
      assert parts[1] == inside or parts[1] in ROOMS[inside] or not is_module(name), (
          f'{inside} imports {name}')
    assert not name.startswith('absl.flags') and name != 'absl.app', 'flags never enter'


def is_module(name):
  """Whether it is a room: `jaxsynth.__version__` is not."""
  path = PACKAGE / name.split('.')[1]
  return path.is_dir() or path.with_suffix('.py').is_file()


def test_rooms_do_not_import_each_other_in_circles():
  assert not circle({name: others - {name} for name, others in ROOMS.items()})
  assert circle({'a': {'b'}, 'b': {'c'}, 'c': {'a'}})


def circle(graph):
  """What is left when rooms that import none of what is left have gone."""
  left = dict(graph)
  while leaves := [name for name, others in left.items() if not others & left.keys()]:
    for name in leaves:
      del left[name]
  return sorted(left)


def test_every_room_there_is_has_its_place():
  assert {room(path) for path in PACKAGE.rglob('*.py')} == ROOMS.keys()


def modules():
  yield jaxsynth
  for info in pkgutil.walk_packages(jaxsynth.__path__, 'jaxsynth.'):
    yield importlib.import_module(info.name)


def test_no_function_hides_the_module_of_its_name():
  """`import jaxsynth.data.folder as f` and `data.folder` would be two things."""
  every = list(modules())
  for module in every:
    above, _, name = module.__name__.rpartition('.')
    if above:
      there = getattr(sys.modules[above], name)
      assert isinstance(there, ModuleType) and there is module, module.__name__
  assert len(every) > 100


@pytest.mark.parametrize('name', TOP)
def test_a_person_runs_what_lies_on_top(name):
  text = (PROGRAMS / f'{name}.py').read_text()
  assert "\nif __name__ == '__main__':\n" in text, f'{name}: its place is in {SHARED}, or a room'


@pytest.mark.parametrize('path', sorted(PROGRAMS.rglob('*.py')), ids=name_of)
def test_no_program_is_imported_by_another(path):
  """Programs are found by name, by `common.experiments` and the stages, and run."""
  for name in imported(path):
    assert name.split('.')[0] not in TOP, name


@pytest.mark.parametrize('path', sorted(
    path for folder in SHARED for path in (PROGRAMS / folder).rglob('*.py')), ids=name_of)
def test_what_programs_share_does_nothing_when_imported(path):
  """So a program's flags, and not those of all, are in its help."""
  for node in ast.parse(path.read_text()).body:
    assert not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)), (
        f'line {node.lineno} runs at import')


@pytest.mark.parametrize('path', sorted(
    p for folder in ('jaxsynth', 'experiments', 'tests') for p in (ROOT / folder).rglob('*.py')),
    ids=name_of)
def test_files_stay_small(path):
  assert len(path.read_text().splitlines()) <= 300


def run(code):
  return subprocess.run([sys.executable, '-c', code], text=True, check=True, cwd=ROOT,
                        capture_output=True).stdout.strip()


def test_import_loads_nothing_heavy():
  rooms = ', '.join(f'jaxsynth.{name}' for name in LIGHT)
  assert run(f'import sys, {rooms}\n'
             f'print([m for m in {HEAVY} if m in sys.modules])') == '[]'
  assert run('import sys, jaxsynth\nprint("jax" in sys.modules)') == 'False'


@pytest.mark.parametrize('order', [
    'import jaxsynth.train_step as a; from jaxsynth import train_step as b',
    'from jaxsynth import train_step as b; import jaxsynth.train_step as a',
    'import jaxsynth, jaxsynth.objectives; import jaxsynth.train_step as a; '
    'b = jaxsynth.train_step'])
def test_train_step_is_one_module_in_every_import_order(order):
  assert run(f'{order}\nprint(a is b, callable(a.train_step))') == 'True True'
