"""Several processes, on one host or on many, that do one job together."""
from collections.abc import Mapping
import contextlib
import hashlib
from importlib import metadata
import os
import pathlib
import platform
import signal
import sys
import threading
import time
from typing import Any, NamedTuple

from absl import flags
import jax

import jaxsynth
from jaxsynth import hosts
from jaxsynth.runs.record import PLACES

COMPARED = ('jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'numpy')  # versions of these
NAMES = ('coordinator_address', 'num_processes', 'process_id', 'distributed', 'start_timeout')
HEARTBEAT = 30  # seconds after which a silent process counts as dead
GRACE = 3  # seconds that the others have to say the same before their coordinator goes
PROGRAMS = pathlib.Path(__file__).resolve().parent.parent
_job: 'Given | None' = None  # of this process, once it has met the others


class Given(NamedTuple):
  """Which processes there are, as flags or the environment say.

  Attributes:
    coordinator: address of process 0; `None` where JAX is to find it.
    num_processes: how many; `None` likewise.
    process_id: which one this is; `None` likewise.
  """
  coordinator: str | None
  num_processes: int | None
  process_id: int | None


def define(values: flags.FlagValues) -> None:
  """Defines the flags of a job of several processes."""
  text, number = flags.DEFINE_string, flags.DEFINE_integer
  text('coordinator_address', None, 'Of a job of several processes: address of process 0 and a '
       'free port there, as 10.0.0.1:1234; by default $JAX_COORDINATOR_ADDRESS.',
       flag_values=values)
  number('num_processes', None, 'How many there are; by default $JAX_NUM_PROCESSES.', 1,
         flag_values=values)
  number('process_id', None, 'Which of them this is, from 0; by default $JAX_PROCESS_ID.', 0,
         flag_values=values)
  flags.DEFINE_bool('distributed', False, 'Learn of the other processes from the environment: TPU '
                    'pods, Slurm, Open MPI, Kubernetes.', flag_values=values)
  number('start_timeout', 45, 'Seconds in which all processes must have come.', 1,
         flag_values=values)


def given(values: flags.FlagValues) -> Given | None:
  """The processes of this job; `None` where this is the only one.

  Raises:
    ValueError: some of the three are missing, or do not fit together.
  """
  variables = {'coordinator_address': 'JAX_COORDINATOR_ADDRESS',
               'num_processes': 'JAX_NUM_PROCESSES', 'process_id': 'JAX_PROCESS_ID'}
  texts = {name: str(x) if (x := values[name].value) is not None else os.environ.get(variable)
           for name, variable in variables.items()}
  missing = [f'--{name} (or ${variables[name]})' for name, text in texts.items() if not text]
  if not values.distributed and len(missing) == 3:
    return None
  if not values.distributed and missing:
    raise ValueError(f'several processes need {" and ".join(missing)} too, or --distributed')
  address, count, index = (text or None for text in texts.values())
  host, _, port = (address or 'HOST:1').rpartition(':')
  if not (host and port.isdigit() and 0 < int(port) < 2 ** 16):
    raise ValueError(f'--coordinator_address={address}: expected HOST:PORT, as 10.0.0.1:1234')
  numbers = [text for text in (count, index) if text is not None]
  if not all(text.isdigit() for text in numbers) or (
      len(numbers) == 2 and int(numbers[1]) >= int(numbers[0])):
    raise ValueError(f'--num_processes={count} --process_id={index}: expected a process_id in '
                     '[0, num_processes)')
  return Given(address, count and int(count), index and int(index))


def join(values: flags.FlagValues, *, stops_at_a_step: bool) -> None:
  """Meets the other processes of the job, if there are any, before JAX computes anything.

  They are then held to the same code, versions and recorded flags.

  Args:
    values: of the program; without the flags of `define` nothing is done.
    stops_at_a_step: whether the program asks for SIGTERM itself, as `runs.Preemption` does.

  Raises:
    ValueError: as `given`; or something differs: it lists what.
    SystemExit: by way of `os._exit`, if they are not all there in time.
  """
  global _job
  job = given(values) if NAMES[0] in values else None
  if job is None or _job is not None:
    return
  seconds = values.start_timeout
  who = 'a process' if job.process_id is None else f'process {job.process_id}'
  who += '' if job.num_processes is None else f' of {job.num_processes}'
  who += f', coordinator {job.coordinator or "as the environment says"}'
  late = threading.Timer(seconds, _too_late, (
      f'{who}: after --start_timeout={seconds} s not all processes have come. Is process 0 running '
      'at that address, does a firewall let its port through, and were all processes started?',))
  late.daemon = True
  late.start()
  try:
    # JAX's own timeout ends a process without a word on who is missing
    jax.distributed.initialize(job.coordinator, job.num_processes, job.process_id,
                               initialization_timeout=seconds + 60,
                               heartbeat_timeout_seconds=HEARTBEAT)
  except (RuntimeError, ValueError) as error:
    raise ValueError(f'{who}: {error}') from error
  finally:
    late.cancel()
  _job = job
  if not stops_at_a_step:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # JAX took it, for who asks it at every step
  versions = {name: metadata.version(name) for name in COMPARED}
  hosts.check_same({'code': _code(), 'Python': platform.python_version(), **versions})


def job() -> Given | None:
  """The processes that this one has joined, as they were given."""
  return _job


def joined() -> bool:
  """Whether this process is one of several."""
  return _job is not None


def check_same(config: Mapping[str, Any]) -> None:
  """Holds that all processes have the same flags, but for where data lie.

  Raises:
    ValueError: they do not; it lists what differs.
  """
  hosts.check_same({f'--{name}': value for name, value in config.items() if name not in PLACES})


def check_shared(folder: pathlib.Path) -> None:
  """Holds that all processes see one folder.

  Raises:
    ValueError: one does not.
  """
  if hosts.count() == 1:
    return

  def make() -> str:
    mark = folder / f'.processes-{os.getpid()}-{time.time_ns()}'
    mark.touch()
    return mark.name

  mark = folder / hosts.first(make)

  def look() -> None:
    until = time.monotonic() + 10  # network file systems may take a while
    while not mark.exists():
      if time.monotonic() > until:
        raise ValueError(f'{folder}: process {jax.process_index()} of {hosts.count()} does not '
                         'see what process 0 wrote there; name a folder that all hosts share')
      time.sleep(.1)
  try:
    hosts.everywhere(look)
  finally:
    if hosts.is_first():
      mark.unlink(missing_ok=True)


def leave(error: BaseException) -> None:
  """Ends this process of a job at once, with its message, so that the others do not wait for it.

  Python's own end would wait for all processes, and these for this one.
  """
  if isinstance(error, (SystemExit, KeyboardInterrupt)):
    print(error if isinstance(error, SystemExit) else 'stopped', file=sys.stderr)
  else:
    sys.excepthook(type(error), error, error.__traceback__)
  for stream in (sys.stdout, sys.stderr):
    with contextlib.suppress(OSError, ValueError):
      stream.flush()
  if _job is None or not _job.process_id:
    time.sleep(GRACE)
  os._exit(1)


def _too_late(text: str) -> None:
  print(f'{pathlib.Path(sys.argv[0]).name}: {text}', file=sys.stderr, flush=True)
  os._exit(1)


def _code() -> str:
  """SHA-256 of all modules of the package and of the programs."""
  digest = hashlib.sha256()
  for root in (pathlib.Path(jaxsynth.__file__).parent, PROGRAMS):
    for path in sorted(root.rglob('*.py')):
      digest.update(str(path.relative_to(root)).encode() + b'\0' + path.read_bytes())
  return digest.hexdigest()
