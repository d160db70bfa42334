"""What is shipped to be trained: every program by itself, and with each of its flagfiles."""
from collections.abc import Mapping
import pathlib
import re
from typing import Any, NamedTuple

from absl import flags
import jax
import jax.numpy as jnp
import numpy as np
import optax

from common import experiments
from jaxsynth import runs, train_step as ts
from jaxsynth.downstream.learners import net_for
from jaxsynth.downstream.train import Recipe
from jaxsynth.objectives.classify import classify
from jaxsynth.types import Algorithm

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLASSIFIER = 'classifier'  # the one of downstream training, which is no program's
# of the data sets that flagfiles name: nothing is read here
KNOWN = {'mnist': ((28, 28, 1), 10), 'mnist5k': ((28, 28, 1), 10),
         'pneumoniamnist': ((28, 28, 1), 2)}


class Setting(NamedTuple):
  """One training.

  Attributes:
    name: of the flagfile, or of the program.
    program: which builds it, or `'classifier'`.
    config: its flags.
    image_shape: `(H, W, C)`.
    num_classes: of the labels, or `None`.
  """
  name: str
  program: str
  config: dict[str, Any]
  image_shape: tuple[int, int, int]
  num_classes: int | None

  @classmethod
  def of(cls, fields: Any) -> 'Setting':
    """From JSON."""
    setting = cls(*fields)
    height, width, channels = setting.image_shape
    return setting._replace(image_shape=(height, width, channels))


def shipped() -> tuple[list[Setting], list[str]]:
  """Every training that is shipped, and the names of those whose data's shape is not known.

  A program's flagfile of its own name stands for the program; what a flagfile leaves to the
  command line, as its data set, is the program's default.
  """
  settings, unknown = [], []
  for name in experiments.names():
    files = sorted(path for path in (ROOT / 'experiments/flags').glob('*.flags')
                   if _program_of(path) == name)
    given = {name: (), **{path.stem: (f'--flagfile={path}',) for path in files}}
    for title, args in given.items():
      config = _config(name, args)
      about = _about(config)
      if about is None:
        unknown.append(title)
      else:
        settings.append(Setting(title, name, config, *about))
  recipe = Recipe()
  settings.append(Setting(CLASSIFIER, CLASSIFIER, {'batch_size': recipe.batch_size},
                          (28, 28, 1), 10))
  return settings, unknown


def _program_of(path: pathlib.Path) -> str | None:
  """The program that a flagfile's comment runs it with."""
  text = path.read_text(encoding='utf-8')
  first = re.search(r'python experiments/(\w+)\.py', text)
  return first[1] if first else None


def _config(name: str, args: tuple[str, ...]) -> dict[str, Any]:
  values = flags.FlagValues()
  define_flags = experiments.program(name).define_flags
  define_flags(values)
  flags.DEFINE_string('flagfile', '', '', flag_values=values)
  values([name, *values.read_flags_from_files(['--workdir=-', *args], force_gnu=False)])
  return experiments.recorded(define_flags, values)


def _about(config: Mapping[str, Any]) -> tuple[tuple[int, int, int], int | None] | None:
  if config.get('dataset') not in KNOWN:
    return None
  (height, width, channels), classes = KNOWN[config['dataset']]
  if config.get('image_size'):
    height, width = config['image_size']
  return (height, width, config.get('channels') or channels), classes


def step_of(setting: Setting, batch_size: int | None = None, dtype: str | None = None
            ) -> tuple[Algorithm, tuple[Any, Any, Any]]:
  """A setting's algorithm, and the shapes of what its step takes.

  Args:
    setting: which.
    batch_size: by default its own.
    dtype: of the computation; by default its own.

  Raises:
    ValueError: it has no dtype to choose.
  """
  algorithm = _algorithm(setting, dtype)
  size = batch_size or setting.config['batch_size']
  one_phase = {'image': jax.ShapeDtypeStruct((size, *setting.image_shape), np.float32),
               'label': jax.ShapeDtypeStruct((size,), np.int32)}
  key = jax.random.key(0)
  state = jax.eval_shape(algorithm.init, key, one_phase)
  several = phases(setting)
  batch = one_phase if several == 1 else jax.tree.map(
      lambda x: jax.ShapeDtypeStruct((several, *x.shape), x.dtype), one_phase)
  return algorithm, (state, batch, key)


def _run(setting: Setting, dtype: str | None = None) -> runs.Run:
  config = setting.config
  if dtype is not None:
    if 'dtype' not in config:
      raise ValueError(f'{setting.name}: {setting.program} has no --dtype')
    config = {**config, 'dtype': dtype}
  return experiments.program(setting.program).build(
      config, runs.About(setting.image_shape, setting.num_classes))


def _algorithm(setting: Setting, dtype: str | None) -> Algorithm:
  if setting.program == CLASSIFIER:
    net = net_for(setting.image_shape, setting.num_classes or 1).clone(
        dtype=jnp.dtype(dtype or 'float32'))
    return ts.build(classify(net), {'classifier': optax.adam(Recipe().learning_rate)})
  return _run(setting, dtype).algorithm()


def phases(setting: Setting) -> int:
  """Of a step."""
  return 1 if setting.program == CLASSIFIER else _run(setting).phases
