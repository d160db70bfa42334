"""Four virtual devices for all tests; ranks are never promoted silently."""
import atexit
import os
import shutil
import tempfile

import jax
import pytest

jax.config.update('jax_num_cpu_devices', 4)
jax.config.update('jax_numpy_rank_promotion', 'raise')

# one cache of compiled programs for every run that the tests start, and not the user's
if 'JAXSYNTH_TEST_CACHE' not in os.environ:
  os.environ['JAXSYNTH_TEST_CACHE'] = tempfile.mkdtemp()
  atexit.register(shutil.rmtree, os.environ['JAXSYNTH_TEST_CACHE'], ignore_errors=True)
os.environ['XDG_CACHE_HOME'] = os.environ['JAXSYNTH_TEST_CACHE']


@pytest.fixture
def key():
  return jax.random.key(0)
