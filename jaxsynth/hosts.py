"""Several processes that are one run: what they share and agree on, and how all learn of an error.

Every function here is for all processes to call, in the same order; with one process none of
them communicates. https://docs.jax.dev/en/latest/multi_process.html
"""
from collections.abc import Callable, Mapping
import json
import pickle
from typing import Any, TypeVar

import jax
from jax.experimental import multihost_utils
import numpy as np

from jaxsynth.types import Tree

T = TypeVar('T')
LEAST = 1024  # bytes of a message, so that most of them are one compiled program


class ProcessError(RuntimeError):
  """Another process of the run failed; the message says which, and what it said."""


def is_first() -> bool:
  """Whether this process is the one that writes logs, samples and pages.

  >>> is_first()
  True
  """
  return jax.process_index() == 0


def everywhere(f: Callable[[], T]) -> T:
  """`f()` in every process; where it fails in one, every process raises.

  Raises:
    ProcessError: it failed in another process.
    Whatever it raises here.

  >>> everywhere(lambda: 3)
  3
  """
  if jax.process_count() == 1:
    return f()
  try:
    value, error = f(), None
  except Exception as raised:
    value, error = None, raised
  answers = _exchanged(b'' if error is None else (str(error) or repr(error)).encode())
  if error is not None:
    raise error
  for process, answer in enumerate(answers):
    if answer:
      raise ProcessError(f'process {process}: {answer.decode()}')
  return value  # type: ignore[return-value]


def first(f: Callable[[], T]) -> T:
  """`f()` of the first process, in all of them: its value, or what it raises.

  Args:
    f: gives, and raises, what can be pickled.

  >>> first(lambda: {'frechet': 1.5})
  {'frechet': 1.5}
  """
  if jax.process_count() == 1:
    return f()
  answer: Any = None
  if is_first():
    try:
      answer = f(), None
    except Exception as raised:
      answer = None, raised
  value, error = pickle.loads(_exchanged(pickle.dumps(answer) if is_first() else b'')[0])
  if error is not None:
    raise answer[1] if is_first() else error  # the first one's has its traceback
  return value


def any_of(here: bool) -> bool:
  """Whether it is so in some process.

  >>> any_of(False)
  False
  """
  if jax.process_count() == 1:
    return here
  return any(_exchanged(b'1' if here else b''))


def check_same(values: Mapping[str, Any]) -> None:
  """Holds that all processes were given the same.

  Args:
    values: name to value, as JSON holds it.

  Raises:
    ValueError: they differ; it lists what, and the processes' values.

  >>> check_same({'--steps': 100})
  """
  if jax.process_count() == 1:
    return
  mine = {name: json.dumps(value, sort_keys=True, default=str) for name, value in values.items()}
  given = [json.loads(answer) for answer in _exchanged(json.dumps(mine).encode())]
  lines = []
  for name in sorted({name for process in given for name in process}):
    texts = [process.get(name, 'nothing') for process in given]
    other = next((k for k, text in enumerate(texts) if text != texts[0]), None)
    if other is not None:
      lines.append(f'\n  {name}: {_short(texts[0])} in process 0, '
                   f'{_short(texts[other])} in process {other}')
  if lines:
    raise ValueError('the processes of a run must be given the same:' + ''.join(lines))


def spread(tree: Tree, shardings: Tree) -> Tree:
  """Arrays that every process has whole, as arrays of all processes' devices.

  Args:
    tree: of host arrays, or keys, equal in all processes.
    shardings: where each goes: a tree of the same form, or one for all.
  """
  if not isinstance(shardings, jax.sharding.Sharding):
    return jax.tree.map(spread, tree, shardings)

  def put(leaf: Any) -> jax.Array:
    if isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
      return jax.random.wrap_key_data(put(jax.random.key_data(leaf)),
                                      impl=jax.random.key_impl(leaf))
    whole = np.asarray(leaf)
    return jax.make_array_from_callback(whole.shape, shardings, lambda index: whole[index])
  return jax.tree.map(put, tree)


def local(tree: Tree) -> Tree:
  """The same arrays, each whole and of this process alone."""
  def gathered(x: Any) -> Any:
    if not isinstance(x, jax.Array) or x.is_fully_addressable:
      return x
    if x.is_fully_replicated:
      return x.addressable_data(0)
    return multihost_utils.process_allgather(x, tiled=True)
  return jax.tree.map(gathered, tree)


def _exchanged(message: bytes) -> list[bytes]:
  """Every process's message, in order of the processes."""
  sizes = np.ravel(multihost_utils.process_allgather(np.array([len(message)], np.int32)))
  room = max(LEAST, 1 << int(sizes.max()).bit_length())
  padded = np.zeros(room, np.uint8)
  padded[:len(message)] = np.frombuffer(message, np.uint8)
  rows = np.asarray(multihost_utils.process_allgather(padded)).reshape(len(sizes), room)
  return [row[:size].tobytes() for row, size in zip(rows, sizes)]


def _short(text: str) -> str:
  return text if len(text) < 60 else f'{text[:56]} ...'
