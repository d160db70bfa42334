"""Runs of the training programs in this process: to import jax anew costs seconds a run."""
import atexit
import functools
import pathlib
import shutil
import tempfile

from absl import flags
from common import experiments, train
import jax
import numpy as np

from jaxsynth import data, runs
from jaxsynth.data.kinded import kind_of

# no family's own: what a run leaves that most tests do not look at
BRIEF = ('--batch_size=8', '--log_every=2', '--sample_every=0', '--num_synthetic=20',
         '--notensorboard')
# of any family whose flags are called so
SMALL = {'latent_dim': 3, 'hidden': 8, 'solver_steps': 2, 'codes': 8, 'prior_depth': 1,
         'layers': 1, 'group_channels': 4, 'blocks': 1, 'components': 5, 'num_features': 32}
WIDTH = 4  # of whatever is called a width


@functools.cache
def table_file():
  """A csv of classes, whole numbers with gaps, many numbers, and a label of three classes."""
  folder = pathlib.Path(tempfile.mkdtemp())
  atexit.register(shutil.rmtree, folder, ignore_errors=True)
  rng = np.random.default_rng(0)
  lines = [f'{"red green blue".split()[i % 3]},{"" if i % 7 == 0 else i % 9},{x:.6f},{"abc"[i % 3]}'
           for i, x in enumerate(rng.normal(size=1200))]
  (folder / 'things.csv').write_text('\n'.join(['colour,age,size,kind', *lines]) + '\n')
  return folder / 'things.csv'


def config_of(*given, name='mnist_dcgan', tiny=True):
  """The flags of a program as its record holds them.

  Args:
    given: as on the command line.
    name: of the program.
    tiny: whether networks are small and runs brief where nothing else is given.

  Raises:
    absl.flags.Error: what the program refuses as it starts.
  """
  values = flags.FlagValues()
  define_flags = experiments.program(name).define_flags
  define_flags(values)
  small = (*BRIEF, *small_networks(values)) if tiny else ()
  values([name, '--workdir=-', *small, *map(str, given)])
  return experiments.recorded(define_flags, values)


def small_networks(values):
  """Flags that make the networks of a family small, whichever it has."""
  sizes = {flag: WIDTH for flag in values if flag.endswith('width')}
  sizes |= {flag: n for flag, n in SMALL.items() if flag in values}
  return [f'--{flag}={n}' for flag, n in sizes.items()]


def data_of(name):
  """Flags that name small data of the kind that a family learns."""
  if name.startswith('table_'):
    return f'--dataset={table_file()}', '--label_column=kind'
  return ()


def source_of(name):
  """These data."""
  return data.open_dataset(data.DatasetSpec.of(config_of(*data_of(name), name=name)))


def about(name, axis=None):
  """What a family is told of them."""
  source = source_of(name)
  kind = kind_of(source)
  return runs.About(kind.shape, source.num_classes, axis, source.name, kind)


def trained(folder, *given, name='mnist_dcgan', fresh=False, tiny=True):
  """Trains in a folder as the program does, or goes on with the run in it; the folder.

  Raises:
    As `common.train.train_in`.
  """
  config = config_of(*given, name=name, tiny=tiny)
  train.train_in(folder, name, config, experiments.program(name).build,
                 jax.devices()[:config['devices']], fresh=fresh)
  return folder
