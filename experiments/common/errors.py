"""What a user is told of an error that no flag foresaw."""
import errno
import os
import re
import traceback

from absl import flags

from common.outside import OUTPUTS
from jaxsynth import hosts

FULL = (errno.ENOSPC, errno.EDQUOT)


def message(error: BaseException) -> str:
  """An error's message; of a disk that is full, or of another process, what to do."""
  if _of_connection(error):
    return of_others(error)
  if not isinstance(error, OSError) or error.errno not in FULL:
    return str(error)
  given = [f'--{name}={flags.FLAGS[name].value}' for name in OUTPUTS if name in flags.FLAGS]
  if error.filename and not any(os.path.abspath(error.filename).startswith(os.path.abspath(
      path.partition('=')[2])) for path in given):
    return f'{error}: the disk is full; make room there. What was finished stays'
  return (f'{error}: {", ".join(given)}: the disk is full; make room there, or name a folder of '
          'another disk. What was finished stays')


def of_others(error: BaseException) -> str:
  """What to do about an error of the connection to other processes."""
  return (f'another process of this job ended, or cannot be reached ({str(error)[:200]}): what it '
          'printed says why. The same command, in all processes, goes on from the newest '
          'checkpoint')


def _of_connection(error: BaseException) -> bool:
  return hosts.count() > 1 and bool(re.search(r'\bGloo\b.* failed', str(error)))


def of_machine(error: BaseException) -> str | None:
  """What to do about an error of the devices or their memory; `None` of any other."""
  text = str(error)
  if _of_connection(error):
    return of_others(error)
  if isinstance(error, MemoryError) or 'RESOURCE_EXHAUSTED' in text or 'Out of memory' in text:
    return (f'there is not enough memory ({text[:200] or "MemoryError"}); lower the batch size '
            'or the number of images, or take a machine with more')
  at = traceback.extract_tb(error.__traceback__)
  # JAX says nothing of a device for which it is not installed
  missing = isinstance(error, AssertionError) and at and at[-1].filename.endswith('xla_bridge.py')
  if missing or 'Unable to initialize backend' in text or 'Unknown backend' in text:
    return (f'JAX_PLATFORMS={os.environ.get("JAX_PLATFORMS", "")}: there is no such device here, '
            f'or JAX is not installed for it ({text[:300] or "it does not say why"}); name one '
            'that is there, as cpu, or install the extra cuda or tpu')
  return None
