"""Runs a program in this process, and leaves the most memory that it held.

    python peak.py FILE PROGRAM ARGUMENTS...

FILE gets MiB, the largest resident size of this process since it began: VmHWM of
/proc/self/status, which begins anew with every program, as getrusage's does not, that has what
the parent held. Where there is no /proc it is getrusage's.
"""
import pathlib
import re
import resource
import runpy
import sys

STATUS = pathlib.Path('/proc/self/status')


def mebibytes() -> float:
  """The largest resident size of this process so far."""
  if STATUS.exists():
    size = re.search(r'^VmHWM:\s*(\d+) kB$', STATUS.read_text(encoding='utf-8'), re.M)
    if size:
      return int(size[1]) / 2 ** 10
  most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  return most / (2 ** 20 if sys.platform == 'darwin' else 2 ** 10)


def main() -> None:
  _, file, program, *arguments = sys.argv
  sys.argv[:] = [program, *arguments]
  sys.path[0] = str(pathlib.Path(program).resolve().parent)
  try:
    runpy.run_path(program, run_name='__main__')
  finally:
    pathlib.Path(file).write_text(f'{mebibytes():.1f}\n', encoding='utf-8')


if __name__ == '__main__':
  main()
