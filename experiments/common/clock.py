"""When the process began: import this first."""
import time

START = time.perf_counter()


def seconds() -> float:
  """Since the process began."""
  return time.perf_counter() - START
