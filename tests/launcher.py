"""Two processes that know of each other: by flags, or as those of one launcher do."""
import os
import pathlib
import socket
import subprocess
import tempfile
import time

PATIENCE = 600  # seconds; who takes longer is killed


def free_port():
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    return free.getsockname()[1]


def together(command, cwd):
  """Runs a command twice at once, told of each other as Open MPI tells its processes.

  Returns:
    As `at_once`.
  """
  launcher = {'OMPI_MCA_orte_hnp_uri': '4096.0;tcp://127.0.0.1:1', 'OMPI_COMM_WORLD_SIZE': '2',
              'JAX_COORDINATOR_PORT': str(free_port())}
  return at_once([command] * 2, cwd, [{
      **launcher, 'OMPI_COMM_WORLD_RANK': k, 'OMPI_COMM_WORLD_LOCAL_RANK': k} for k in '01'])


def by_flags(commands, cwd, ends=None):
  """Runs two commands at once, told of each other by the flags behind them; as `at_once`."""
  address = f'--coordinator_address=127.0.0.1:{free_port()}'
  return at_once([[*command, address, '--num_processes=2', f'--process_id={k}',
                   '--start_timeout=200'] for k, command in enumerate(commands)], cwd, [{}, {}],
                 ends)


def at_once(commands, cwd, more, ends=None):
  """Runs commands at once.

  Args:
    commands: each a list.
    cwd: of all.
    more: environment of each, beside this process's.
    ends: a list that gets the time of each one's end, in no order; or `None`.

  Returns:
    `(exit code, what it wrote)` of each.
  """
  with tempfile.TemporaryDirectory() as folder:
    logs = [pathlib.Path(folder, str(k)) for k in range(len(commands))]
    running = []
    for command, log, env in zip(commands, logs, more):
      with open(log, 'wb') as f:
        running.append(subprocess.Popen(command, cwd=cwd, stdout=f, stderr=f,
                                        env={**os.environ, **env}))
    until, going = time.monotonic() + PATIENCE, list(running)
    while going:
      for process in [p for p in going if p.poll() is not None or time.monotonic() > until]:
        process.kill()
        process.wait()
        going.remove(process)
        if ends is not None:
          ends.append(time.monotonic())
      time.sleep(.05)
    return [(process.returncode, log.read_text()) for process, log in zip(running, logs)]
