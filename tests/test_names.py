"""Names say what they hold: words that fit any value are not names."""
import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
EMPTY = {'found', 'own', 'told', 'one'}
FILES = sorted(path for folder in ('jaxsynth', 'experiments')
               for path in (ROOT / folder).rglob('*.py'))


def given(node):
  """The names that a node of the syntax tree gives to something."""
  match node:
    case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
      return [name]
    case ast.arg(arg=name):
      return [name]
    case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
      return [node.name]
    case ast.alias():
      return [node.asname or node.name]
    case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
      return [node.name]
    case ast.MatchMapping():
      return [node.rest]
    case _:
      return []


def empty_names(code, allowed=()):
  """`(line, name)` of all names in a program that say nothing."""
  return sorted((node.lineno, name) for node in ast.walk(ast.parse(code)) for name in given(node)
                if name is not None and name.strip('_') in EMPTY and name not in allowed)


@pytest.mark.parametrize('path', FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_names_say_what_they_hold(path):
  place = str(path.relative_to(ROOT))
  empty = empty_names(path.read_text(encoding='utf-8'))
  assert not empty, f'{place}: (line, name) {empty}; name the value by what it is'


@pytest.mark.parametrize('code', [
    'found = 1', 'a, own = 1, 2', 'own: int = 1', 'for found in []: pass', '[1 for own in []]',
    'self.own = 1', 'self._found = 1', 'def found(): pass', 'async def own(): pass',
    'class told: pass', 'def f(own): pass', 'def f(*, found=1): pass', 'def f(*found): pass',
    'def f(**own): pass', 'lambda own: 1', 'with open(a) as found: pass', 'import a as found',
    'from a import own', 'try: pass\nexcept E as found: pass', '(found := 1)',
    'match a:\n  case [own, *b]: pass', 'match a:\n  case [*own]: pass',
    'match a:\n  case {**found}: pass', 'found += 1'])
def test_names_that_say_nothing_are_seen_wherever_they_are_given(code):
  assert len(empty_names(code)) == 1


@pytest.mark.parametrize('code', [
    'found_rows = 1', 'a = own', 'f(own=1)', 'a.found', '"found"', '# own', 'owner = 1',
    'def f(x):\n  """What was found."""'])
def test_other_names_and_words_are_left_alone(code):
  assert not empty_names(code)


def test_an_allowed_name_is_allowed_alone():
  assert empty_names('def f(told, own, _told): pass', {'told'}) == [(1, '_told'), (1, 'own')]
