"""What a user is told of an error that no flag foresaw."""
import errno

from absl import flags

from common.outside import OUTPUTS

FULL = (errno.ENOSPC, errno.EDQUOT)


def message(error: BaseException) -> str:
  """An error's message; of a disk that is full, which and what to do."""
  if not isinstance(error, OSError) or error.errno not in FULL:
    return str(error)
  given = [f'--{name}={flags.FLAGS[name].value}' for name in OUTPUTS if name in flags.FLAGS]
  return (f'{error}: {", ".join(given)}: the disk is full; make room there, or name a folder of '
          'another disk. What was finished stays')


def of_machine(error: BaseException) -> str | None:
  """What to do about an error of the devices or their memory; `None` of any other."""
  text = str(error)
  if isinstance(error, MemoryError) or 'RESOURCE_EXHAUSTED' in text or 'Out of memory' in text:
    return (f'there is not enough memory ({text[:200] or "MemoryError"}); lower the batch size '
            'or the number of images, or take a machine with more')
  if 'Unable to initialize backend' in text or 'Unknown backend' in text:
    return (f'{text[:300]}: set JAX_PLATFORMS to a device that is there, as cpu, or install its '
            'JAX: the extras cuda and tpu')
  return None
