"""Runs a program that is stopped when the process that started it dies, be it by SIGKILL.

    python child.py PARENT_PID PROGRAM ARGUMENTS...
"""
import ctypes
import os
import pathlib
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1  # Linux alone; elsewhere the program lives on


def main() -> None:
  parent, program, *arguments = sys.argv[1:]
  if sys.platform.startswith('linux'):
    try:
      # not SIGTERM, after which a training still ends its step: the next pipeline finds it there
      ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):  # another C library
      pass
    if os.getppid() != int(parent):  # it died before
      sys.exit(128 + signal.SIGTERM)
  sys.argv[:] = [program, *arguments]
  sys.path[0] = str(pathlib.Path(program).resolve().parent)
  runpy.run_path(program, run_name='__main__')


if __name__ == '__main__':
  main()
