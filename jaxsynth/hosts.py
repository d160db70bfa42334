"""Several processes that are one run: what they share and agree on, and how all learn of an error.

What communicates is for all processes to call, in the same order; with one process nothing does.
Messages go through the coordinator of `jax.distributed` and need no device, so processes with
other devices understand one another too. https://docs.jax.dev/en/latest/multi_process.html
"""
from collections.abc import Callable, Mapping
import itertools
import json
from typing import Any, TypeVar

import jax
from jax._src import distributed  # its key-value store has no public name
from jax.experimental import multihost_utils
import numpy as np

from jaxsynth.types import Tree

T = TypeVar('T')
PATIENCE = 24 * 3600  # seconds for an answer: a process that is dead ends all others long before
SHOWN = 60  # characters of a value in a message
_exchanges = itertools.count()


class ProcessError(RuntimeError):
  """Another process of the run failed; the message says which, and what it said."""


class Disconnected(RuntimeError):
  """Another process cannot be asked: nobody knows what it would say."""


def count() -> int:
  """How many processes there are; no device is touched.

  >>> count()
  1
  """
  return 1 if distributed.global_state.client is None else distributed.global_state.num_processes


def is_first() -> bool:
  """Whether this process is the one that writes logs, samples and pages.

  >>> is_first()
  True
  """
  return distributed.global_state.client is None or distributed.global_state.process_id == 0


def everywhere(f: Callable[[], T]) -> T:
  """`f()` in every process; where it fails in one, every process raises.

  Args:
    f: communicates with no other process, or those that fail leave the others alone in it.

  Raises:
    ProcessError: it failed in another process.
    Disconnected: another process is gone; so raise all functions here that communicate.
    Whatever it raises here.

  >>> everywhere(lambda: 3)
  3
  """
  if count() == 1:
    return f()
  try:
    value, error = f(), None
  except Exception as raised:
    value, error = None, raised
  answers = _exchanged('everywhere', '' if error is None else str(error) or repr(error))
  if error is not None:
    raise error
  for process, answer in enumerate(answers):
    if answer:
      raise ProcessError(f'process {process}: {answer}')
  return value  # type: ignore[return-value]


def first(f: Callable[[], T]) -> T:
  """`f()` of the first process, in all of them; where it fails there, every process raises.

  Args:
    f: gives what JSON holds.

  Raises:
    ProcessError: it failed, and this is not the first process.
    Whatever it raises, in the first.

  >>> first(lambda: {'frechet': 1.5})
  {'frechet': 1.5}
  """
  if count() == 1:
    return f()
  if not is_first():
    answer = json.loads(_answer('first', next(_exchanges), 0))
    if 'error' in answer:
      raise ProcessError(f'process 0: {answer["error"]}')
    return answer['value']
  number = next(_exchanges)
  try:
    value = f()
    text = json.dumps({'value': value})
  except Exception as error:
    _say('first', number, json.dumps({'error': str(error) or repr(error)}))
    raise
  _say('first', number, text)
  return value


def any_of(here: bool) -> bool:
  """Whether it is so in some process.

  >>> any_of(False)
  False
  """
  return here if count() == 1 else any(_exchanged('any', 'yes' if here else ''))


def check_same(values: Mapping[str, Any]) -> None:
  """Holds that all processes were given the same values.

  Args:
    values: name to value, as JSON holds it.

  Raises:
    ValueError: they differ; it lists what, and the processes' values.

  >>> check_same({'--steps': 100})
  """
  if count() == 1:
    return
  mine = {name: json.dumps(value, sort_keys=True, default=str) for name, value in values.items()}
  given = [json.loads(answer) for answer in _exchanged('same', json.dumps(mine))]
  lines = []
  for name in sorted({name for process in given for name in process}):
    texts = [process.get(name, 'nothing') for process in given]
    other = next((k for k, text in enumerate(texts) if text != texts[0]), None)
    if other is not None:
      a, b = _apart(texts[0], texts[other])
      lines.append(f'\n  {name}: {a} in process 0, {b} in process {other}')
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


def _exchanged(what: str, message: str) -> list[str]:
  """Every process's message, in order of the processes."""
  number = next(_exchanges)
  _say(what, number, message)
  return [_answer(what, number, process) for process in range(count())]


def _say(what: str, number: int, message: str) -> None:
  client: Any = distributed.global_state.client
  try:
    client.key_value_set_bytes(
        f'jaxsynth/{number}/{what}/{distributed.global_state.process_id}',
        message.encode('utf-8', 'surrogateescape'))
  except (RuntimeError, ValueError) as error:
    raise Disconnected(f'the coordinator of this job cannot be reached ({error})') from error


def _answer(what: str, number: int, process: int) -> str:
  client: Any = distributed.global_state.client
  try:
    return client.blocking_key_value_get_bytes(
        f'jaxsynth/{number}/{what}/{process}', PATIENCE * 1000).decode('utf-8', 'surrogateescape')
  except (RuntimeError, ValueError) as error:
    raise Disconnected(f'process {process} does not answer ({error})') from error


def _apart(a: str, b: str) -> tuple[str, str]:
  """Two texts, of long ones what is around their first difference."""
  at = next((k for k, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
  start = max(0, at - SHOWN // 2) if max(len(a), len(b)) > SHOWN else 0

  def part(text: str) -> str:
    shown = text[start:start + SHOWN]
    return ('... ' if start else '') + shown + (' ...' if len(text) > start + SHOWN else '')
  return part(a), part(b)
