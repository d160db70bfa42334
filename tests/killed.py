"""Runs a training program that kills itself, with SIGKILL, at a place that a test names.

    python tests/killed.py PLACE STEP mnist_dcgan --workdir=...

A signal from outside comes whenever the machine is so far; this comes where it is meant to.
"""
import functools
import os
import pathlib
import runpy
import signal
import sys

from jaxsynth import checkpoint, hooks

EXPERIMENTS = pathlib.Path(__file__).resolve().parent.parent / 'experiments'


def die():
  """As a scheduler, or the kernel short of memory, ends a process."""
  os.kill(os.getpid(), signal.SIGKILL)


def before(function, reached, by=signal.SIGKILL):
  """The function, but for a call that has come to the place."""
  def wrapped(*args, **kwargs):
    if reached(*args):
      os.kill(os.getpid(), by)
    return function(*args, **kwargs)
  return functools.wraps(function)(wrapped)


def failing(function, reached):
  """The function; of a call that has come to the place an error."""
  def wrapped(*args, **kwargs):
    if reached(*args):
      raise OSError('a disk is full')
    return function(*args, **kwargs)
  return functools.wraps(function)(wrapped)


def after(function, reached):
  """The function; the process ends when it returns to the place."""
  def wrapped(*args, **kwargs):
    function(*args, **kwargs)
    if reached(*args):
      die()
  return functools.wraps(function)(wrapped)


def main():
  place, at, name, *given = sys.argv[1:]
  at = int(at)
  of_step = lambda _, step, *rest: step == at
  manager = checkpoint.CheckpointManager
  match place:
    case 'starting':  # the folder is held, nothing is read yet
      manager.restore = before(manager.restore, lambda *_: True)
    case 'stepping':  # a step is done, and what is due after it is not
      hooks.Records.__call__ = before(hooks.Records.__call__, of_step)
    case 'asked':  # a scheduler's SIGTERM, in a step that has no checkpoint of its own
      hooks.Records.__call__ = before(hooks.Records.__call__, of_step, signal.SIGTERM)
    case 'failing':  # it goes on living, as one whose disk is full
      hooks.Records.__call__ = failing(hooks.Records.__call__, of_step)
    case 'logged':  # lines are on disk, the checkpoint of their step is not
      manager.save = before(manager.save, of_step)
    case 'saving':  # a checkpoint is being written
      manager.save = after(manager.save, of_step)
    case 'drawn':  # samples are written aside, and do not have their name yet
      os.replace = before(os.replace, lambda _, path: path.name == 'synthetic.npz')
    case _:
      raise ValueError(place)
  sys.path.insert(0, str(EXPERIMENTS))
  sys.argv = [str(EXPERIMENTS / f'{name}.py'), *given]
  runpy.run_path(sys.argv[0], run_name='__main__')


if __name__ == '__main__':
  main()
