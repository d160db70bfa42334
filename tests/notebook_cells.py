"""The cells of notebooks, run without Jupyter."""
import json
import os
import pathlib
import re
import subprocess
import sys
import types

COMMAND = re.compile(r'^( *)!((?:.*\\\n)*.*)$', re.M)  # with the lines that continue it


def cells(path, kind, without=()):
  """The texts of a notebook's cells of a kind that have none of these tags."""
  return [''.join(cell['source']) for cell in json.loads(path.read_text())['cells']
          if cell['cell_type'] == kind and not set(without) & set(cell['metadata'].get('tags', ()))]


def as_python(source):
  """A code cell, with the commands in it as calls: `!ls {x}` runs `ls` and the value of x.

  >>> as_python('for x in y:\\n  !ls {x}')
  "for x in y:\\n  command(f'ls {x}')"
  """
  return COMMAND.sub(lambda match: f'{match[1]}command(f{match[2]!r})', source)


def command(line):
  """Runs a line as a cell does, but for that it must succeed, and prints what it said."""
  path = f'{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
  done = subprocess.run(line, shell=True, check=False, text=True, capture_output=True,
                        env={**os.environ, 'PATH': path})
  print(done.stdout, done.stderr)
  assert done.returncode == 0, f'{line}\n{done.stdout}\n{done.stderr}'


def executed(path, monkeypatch, folder, without=(), **environment):
  """The names that a notebook leaves, and what it displayed.

  Args:
    path: of the notebook.
    monkeypatch: of the test.
    folder: where it runs.
    without: tags of cells that are passed over.
    environment: variables that its cells read.
  """
  monkeypatch.chdir(folder)
  for name, value in environment.items():
    monkeypatch.setenv(name, str(value))
  shown = []
  monkeypatch.setitem(sys.modules, 'IPython', types.ModuleType('IPython'))
  monkeypatch.setitem(sys.modules, 'IPython.display', types.SimpleNamespace(display=shown.append))
  names = {'__name__': '__main__', 'command': command}
  for number, source in enumerate(cells(path, 'code', without)):
    exec(compile(as_python(source), f'{path.name}, code cell {number}', 'exec'), names)
  return names, shown
