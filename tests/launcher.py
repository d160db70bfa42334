"""Two processes that know of each other as those of one launcher do."""
import os
import socket
import subprocess


def together(command, cwd):
  """Runs a command twice at once, told of each other as Open MPI tells its processes.

  Returns:
    `(exit code, what it wrote to stderr)` of each.
  """
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    port = free.getsockname()[1]
  told = {**os.environ, 'OMPI_MCA_orte_hnp_uri': '4096.0;tcp://127.0.0.1:1',
          'OMPI_COMM_WORLD_SIZE': '2', 'JAX_COORDINATOR_PORT': str(port)}
  both = [subprocess.Popen(command, cwd=cwd, text=True, stderr=subprocess.PIPE, env={
      **told, 'OMPI_COMM_WORLD_RANK': k, 'OMPI_COMM_WORLD_LOCAL_RANK': k}) for k in '01']
  try:
    texts = [process.communicate(timeout=300)[1] for process in both]
  finally:
    for process in both:
      process.kill()
  return [(process.returncode, text) for process, text in zip(both, texts)]
