"""When the process began: import this first."""
import time

START = time.perf_counter()
