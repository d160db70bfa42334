"""Four virtual devices for all tests; ranks are never promoted silently."""
import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile

PLAIN = '--xla_cpu_use_fusion_emitters=false'  # three times faster to compile


def known(flag):
  """Whether this XLA has the flag: it ends a process that gives one which it has not."""
  done = subprocess.run([sys.executable, '-c', 'import jax; jax.devices()'], check=False,
                        env={**os.environ, 'JAX_PLATFORMS': 'cpu', 'XLA_FLAGS': flag},
                        capture_output=True)
  return done.returncode == 0


# compiling is most of the time that tests take, in this process and in those that it starts
if 'JAXSYNTH_TEST_OPTIMIZED' not in os.environ:
  os.environ['JAX_DISABLE_MOST_OPTIMIZATIONS'] = '1'
  if 'XLA_FLAGS' not in os.environ and known(PLAIN):
    os.environ['XLA_FLAGS'] = PLAIN

# tracing makes many objects and leaves few, so cycles are looked for less often
gc.set_threshold(50_000, 20, 50)

from common import machine
import jax
import pytest

jax.config.update('jax_num_cpu_devices', 4)
jax.config.update('jax_numpy_rank_promotion', 'raise')

# one cache of compiled programs for all processes of a session, and not the user's
if 'JAXSYNTH_TEST_CACHE' not in os.environ:
  os.environ['JAXSYNTH_TEST_CACHE'] = tempfile.mkdtemp()
  atexit.register(shutil.rmtree, os.environ['JAXSYNTH_TEST_CACHE'], ignore_errors=True)
os.environ['XDG_CACHE_HOME'] = os.environ['JAXSYNTH_TEST_CACHE']
machine.keep_compiled()
# reading back what compiles at once saves nothing
jax.config.update('jax_persistent_cache_min_compile_time_secs', .2)


@pytest.fixture(scope='module', autouse=True)
def forgotten():
  """Programs that a module compiled are of no use to others: gigabytes of memory."""
  yield
  jax.clear_caches()


@pytest.fixture
def key():
  return jax.random.key(0)


@pytest.fixture
def optimized():
  """Programs are compiled as users compile them."""
  jax.config.update('jax_disable_most_optimizations', False)
  yield
  jax.config.update('jax_disable_most_optimizations', 'JAXSYNTH_TEST_OPTIMIZED' not in os.environ)
