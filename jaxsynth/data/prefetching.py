"""Batches made ready while the device works on the one before."""
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
import itertools
from typing import Any


def prefetch(batch_at: Callable[[int], Any], start: int = 0, *, size: int = 2, stride: int = 1
             ) -> Generator[Any, None, None]:
  """`batch_at(start), batch_at(start + stride), ...`, without end, each made `size` ahead.

  One thread calls `batch_at`, so gathering and the transfer to the device overlap the
  step; what it raises is raised here, at its place in the sequence.

  Args:
    batch_at: `k -> batch`, including its placement on the device.
    start: the first `k`.
    size: batches in flight, at least 1.
    stride: between one `k` and the next.

  Returns:
    An iterator; closing it stops the thread.

  >>> import itertools
  >>> list(itertools.islice(prefetch(lambda k: k * k, 3), 4))
  [9, 16, 25, 36]
  """
  if size < 1:
    raise ValueError(f'size={size}: expected at least 1')
  return _prefetched(batch_at, itertools.count(start, stride), size)


def _prefetched(batch_at: Callable[[int], Any], counter: Iterator[int], size: int
                ) -> Generator[Any, None, None]:
  pool = ThreadPoolExecutor(1, 'prefetch')
  try:
    ready = deque(pool.submit(batch_at, k) for k in itertools.islice(counter, size))
    for k in counter:
      ready.append(pool.submit(batch_at, k))
      yield ready.popleft().result()
  finally:
    pool.shutdown(wait=False, cancel_futures=True)
