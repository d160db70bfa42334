"""The folder of a tiny run, as `mnist_dcgan.py` leaves it, with arbitrary parameters."""
import atexit
import functools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from absl import flags
from common import experiments, machine, sampling_flags
import jax
import numpy as np
import synthesize as synthesize_program

from jaxsynth import checkpoint, data, quality
from jaxsynth.data import fingerprint
from jaxsynth.pixels import scaled

ROOT = pathlib.Path(__file__).parent.parent
EXPERIMENT = 'mnist_dcgan'
machine.keep_compiled()  # in conftest's folder, for these tests and the programs that they start
SMALL = ('--generator_width=4', '--discriminator_width=4', '--latent_dim=3')


def workdir(folder, *given):
  """Writes config.json and one checkpoint, of step 3, into a folder.

  Args:
    folder: made if missing.
    given: flags of `mnist_dcgan.py`, besides those of a small network.

  Returns:
    The folder.
  """
  record = {'format': 1, 'experiment': EXPERIMENT, 'flags': config(*SMALL, *given),
            'data': about_digits()}
  batch = {'image': np.zeros((1, 28, 28, 1), np.float32), 'label': np.zeros(1, np.int32)}
  rng = np.random.default_rng(0)

  def some(path, x):
    if not np.issubdtype(x.dtype, np.floating):
      return np.full(x.shape, 3, x.dtype)
    scale = 0 if jax.tree_util.keystr(path).endswith("['var']") else .5
    return rng.normal(1 - 2 * scale, scale, x.shape).astype(x.dtype)
  init = experiments.build(record, {}).algorithm().init
  state = jax.tree_util.tree_map_with_path(
      some, jax.eval_shape(init, jax.random.key(0), batch))
  folder.mkdir(parents=True, exist_ok=True)
  manager = checkpoint.CheckpointManager(folder / 'checkpoints')
  manager.save(3, state)
  manager.close()
  (folder / 'config.json').write_text(json.dumps(record))
  return folder


def config(*given):
  """The flags that a record of the program would hold."""
  values = flags.FlagValues()
  define_flags = experiments.program(EXPERIMENT).define_flags
  define_flags(values)
  values(['x', '--workdir=x', *given])
  return experiments.recorded(define_flags, values)


@functools.cache
def about_digits():
  """What a record says of mnist5k."""
  source = data.mnist5k('train')
  return {'name': source.name, 'image_shape': list(source.image_shape), 'size': source.size,
          'num_classes': source.num_classes, 'digest': fingerprint.digest(source)}


@functools.cache
def labeller_file():
  """A classifier of digits, as `--classifier` takes one."""
  path = pathlib.Path(tempfile.mkdtemp(), 'classifier.npz')
  atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
  quality.save_labeller(path, quality.train_labeller(data.mnist5k('train'), 0, steps=150))
  return path


def labels_by(path, images):
  """The labels that the classifier in a file gives: `[n]`."""
  labeller = quality.load_labeller(path, (28, 28, 1), 10)
  return np.asarray(jax.jit(labeller.logits)(labeller.weights, scaled(images))).argmax(1)


def called(program, run, *given):
  """Calls the `main` of a program that draws from a run, as its command line does.

  Args:
    program: the module.
    run: the run's folder.
    given: the other flags.

  Returns:
    The exit code.
  """
  values = flags.FlagValues()
  program.define_flags(values)
  sampling_flags.define(sampling_flags.of_run(str(run)), values)
  values([program.__name__, f'--run={run}', *given])
  before, program.FLAGS = program.FLAGS, values
  try:
    program.main()
  except SystemExit as end:
    if not isinstance(end.code, int):
      raise
    return end.code
  finally:
    program.FLAGS = before
  return 0


def synthesized(run, out, *given):
  """Draws a data set in this process, with the flags of `synthesize.py`; its exit code."""
  return called(synthesize_program, run, f'--out={out}', *given)


def command(run, out, *flags):
  """How a data set is drawn from a run."""
  return [sys.executable, 'experiments/synthesize.py', f'--run={run}', f'--out={out}', *flags]


def synthesize(run, out, *flags, **kwargs):
  """Draws it, in a process."""
  return subprocess.run(command(run, out, *flags), cwd=ROOT, text=True, capture_output=True,
                        **kwargs)


def contents(folder):
  """Every byte under every name."""
  return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}
