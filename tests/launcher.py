"""Two processes that know of each other as those of one launcher do."""
import os
import pathlib
import socket
import subprocess
import tempfile
import time


def together(command, cwd):
  """Runs a command twice at once, told of each other as Open MPI tells its processes.

  Returns:
    `(exit code, what it wrote)` of each; one that takes five minutes is killed.
  """
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    port = free.getsockname()[1]
  told = {**os.environ, 'OMPI_MCA_orte_hnp_uri': '4096.0;tcp://127.0.0.1:1',
          'OMPI_COMM_WORLD_SIZE': '2', 'JAX_COORDINATOR_PORT': str(port)}
  with tempfile.TemporaryDirectory() as folder:
    logs = [pathlib.Path(folder, k) for k in '01']
    both = []
    for log in logs:
      with open(log, 'wb') as f:
        both.append(subprocess.Popen(command, cwd=cwd, stdout=f, stderr=f, env={
            **told, 'OMPI_COMM_WORLD_RANK': log.name, 'OMPI_COMM_WORLD_LOCAL_RANK': log.name}))
    until = time.monotonic() + 300
    for process in both:
      try:
        process.wait(max(until - time.monotonic(), 1))
      except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return [(process.returncode, log.read_text()) for process, log in zip(both, logs)]
