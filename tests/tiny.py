"""The folder of a tiny run, as `mnist_dcgan.py` leaves it, with arbitrary parameters."""
import json
import pathlib
import subprocess
import sys

import build
import jax
import numpy as np

from jaxsynth import checkpoint

ROOT = pathlib.Path(__file__).parent.parent
SMALL = ('--generator_width=4', '--discriminator_width=4', '--latent_dim=3')
CONFIG = ('import json, sys; sys.path.insert(0, "experiments"); import options; '
          'options.FLAGS(["x", "--workdir=x", *sys.argv[1:]]); print(json.dumps(options.config()))')


def workdir(folder, *flags):
  """Writes config.json and one checkpoint, of step 3, into a folder."""
  text = subprocess.run([sys.executable, '-c', CONFIG, *SMALL, *flags], cwd=ROOT, check=True,
                        text=True, capture_output=True).stdout
  config = json.loads(text)
  batch = {'image': np.zeros((1, 28, 28, 1), np.float32), 'label': np.zeros(1, np.int32)}
  rng = np.random.default_rng(0)

  def some(path, x):
    if not np.issubdtype(x.dtype, np.floating):
      return np.full(x.shape, 3, x.dtype)
    scale = 0 if jax.tree_util.keystr(path).endswith("['var']") else .5
    return rng.normal(1 - 2 * scale, scale, x.shape).astype(x.dtype)
  init = build.build(config, (28, 28, 1), 10).algorithm.init
  state = jax.tree_util.tree_map_with_path(
      some, jax.eval_shape(init, jax.random.key(0), batch))
  manager = checkpoint.CheckpointManager(folder / 'checkpoints')
  manager.save(3, state)
  manager.close()
  about = {'name': 'mnist5k', 'image_shape': [28, 28, 1], 'size': 4000, 'num_classes': 10,
           'digest': ''}
  (folder / 'config.json').write_text(json.dumps({'flags': config, 'data': about}))
  return folder


def command(run, out, *flags):
  """How a data set is drawn from a run."""
  return [sys.executable, 'experiments/synthesize.py', f'--run={run}', f'--out={out}', *flags]


def synthesize(run, out, *flags, **kwargs):
  """Draws it."""
  return subprocess.run(command(run, out, *flags), cwd=ROOT, text=True, capture_output=True,
                        **kwargs)


def contents(folder):
  """Every byte under every name."""
  return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}
