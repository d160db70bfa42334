"""Devices, memory, and compiled programs kept between runs."""
import ctypes
import hashlib
import os
import pathlib
import platform

from absl import logging
import jax

from common import processes
from jaxsynth import parallel


def take_devices(n: int, how: parallel.How = 'jit', job: processes.Given | None = None
                 ) -> list[jax.Device]:
  """The first `n` devices, of several processes as many of each; on CPU they are made.

  Args:
    n: of all processes together.
    how: steps compile.
    job: of this process, if it has met others.

  Raises:
    ValueError: there are fewer, or the processes cannot share them.
  """
  known = 1 if job is None else job.num_processes
  if n > 1 and known:  # no effect on GPU and TPU
    jax.config.update('jax_num_cpu_devices', max(1, n // known))
  count = jax.process_count()
  if count > 1 and how == 'jit':
    raise ValueError(f'--parallel=jit trains on a device of one process, and there are {count}; '
                     'name pmap, sharded or fsdp')
  if n % count:
    raise ValueError(f'--devices={n} in {count} processes: expected a multiple of {count}, as each '
                     f'takes as many; there are {jax.device_count()}')
  devices = []
  for process in range(count):  # in this order each has a share of the batch without gaps
    there = [d for d in jax.devices() if d.process_index == process]
    if len(there) < n // count:
      where = f' in process {process}, which is to have {n // count}' if count > 1 else ''
      raise ValueError(f'--devices={n}, but there are {len(there)}{where}: {there}')
    devices += sorted(there, key=lambda d: d.id)[:n // count]
  return devices


def keep_compiled() -> None:
  """Turns JAX's persistent compilation cache on, in the user's cache folder.

  The folder is named by the CPU's features: code compiled for one CPU may not run
  on another that mounts the same home.
  """
  try:
    root = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache')
    path = root / 'jaxsynth' / 'compiled' / hashlib.sha256(_cpu().encode()).hexdigest()[:16]
    path.mkdir(parents=True, exist_ok=True)
  except (OSError, RuntimeError) as error:  # no folder there, or no home at all
    logging.warning('compiled programs are not kept: %s', error)
    return
  jax.config.update('jax_compilation_cache_dir', str(path))
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0)
  jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)


def keep_memory() -> None:
  """Keeps freed memory in the process, where the C library is glibc.

  XLA:CPU allocates a program's temporaries (170 MB for the article's step) at every
  call; glibc returns them to the kernel, which zeroes each page anew: 43,000 page
  faults a step.
  """
  try:
    mallopt = ctypes.CDLL('libc.so.6').mallopt
  except (OSError, AttributeError):  # not glibc
    return
  arena_max, mmap_threshold, trim_threshold = -8, -3, -1
  mallopt(arena_max, 1)  # other arenas always map what is large
  mallopt(mmap_threshold, 1 << 30)
  mallopt(trim_threshold, (1 << 31) - 1)


def _cpu() -> str:
  """The machine's architecture and instruction sets."""
  try:
    lines = pathlib.Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
  except OSError:
    return platform.machine() + platform.processor()
  return platform.machine() + next(
      (line for line in lines if line.startswith(('flags', 'Features'))), '')
