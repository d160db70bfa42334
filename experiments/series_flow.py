r"""Trains a flow or a diffusion model of series and writes synthetic ones.

    python experiments/series_flow.py --flagfile=experiments/flags/stocks_flow.flags \
        --dataset=google.csv --workdir=/tmp/stocks

It leaves and resumes what mnist_dcgan.py does. The network is told white series (--whiten): what
moves little, as the gap of two prices of a day, weighs as much as what moves far. How samples are
drawn, by --solver, --solver_steps and --guidance, may be changed once it is trained.
"""
from collections.abc import Mapping
from typing import Any

from absl import flags
from jax import Array
import optax

from common import train
from jaxsynth import runs, train_step as ts
from jaxsynth.losses import flow
from jaxsynth.losses.fourier import fourier
from jaxsynth.models.series_transformer import SeriesTransformer
from jaxsynth.models.unet import UNet
from jaxsynth.objectives import solvers
from jaxsynth.objectives.flow_matching import flow_matching
from jaxsynth.objectives.whitened import FARTHEST, whitened

PREDICTIONS = {'velocity': flow.VELOCITY, 'data': flow.DATA}
SOLVERS = {'heun': solvers.heun, 'euler': solvers.euler, 'ancestral': solvers.ancestral()}
SAMPLING = ('solver', 'solver_steps', 'guidance')


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a flow of series."""
  train.define(values)
  for name, kinds, what in (
      ('network', ('transformer', 'unet'), 'Over the steps of a series.'),
      ('prediction', PREDICTIONS, 'What the network says.'),
      ('solver', SOLVERS, 'Of samples; heun evaluates the network twice a step.')):
    flags.DEFINE_enum(name, next(iter(kinds)), list(kinds), what, flag_values=values)
  for name, count, least, what in (
      ('solver_steps', 20, 1, 'From noise to a sample.'),
      ('width', 64, 1, 'Numbers that a step of time has inside the network.'),
      ('layers', 3, 1, 'Blocks of the transformer; sizes of the U-Net, each half of the last.'),
      ('heads', 4, 1, 'Of its attention; of the U-Net at the smallest size.'),
      ('hidden', 128, 1, 'Size of the vector that says time and label.')):
    flags.DEFINE_integer(name, count, what, lower_bound=least, flag_values=values)
  flags.DEFINE_bool('whiten', True, 'Learn white series, by means and covariances of the data.',
                    flag_values=values)
  for name, number, fits, expected, what in (
      ('fourier', 0., lambda x: x >= 0, 'at least 0', 'Weight of the error of the expected data '
       'in frequencies, beside the squared error.'),
      ('guidance', 1., lambda x: x >= 0, 'at least 0', 'How much more samples are of their label '
       'than without it; 1 is as trained, above 1 takes twice the evaluations.'),
      ('label_dropout', .1, lambda x: 0 <= x < 1, 'a share in [0, 1)',
       'Share of labels that are hidden in training.'),
      ('learning_rate', 1e-3, lambda x: x > 0, 'more than 0', 'Of Adam.')):
    flags.DEFINE_float(name, number, what, flag_values=values)
    flags.register_validator(name, lambda x, fits=fits: x is None or fits(x),
                             f'expected {expected}', flag_values=values)


def network(config: Mapping[str, Any]) -> Any:
  """The network that the flags mean."""
  width, heads, dtype = config['width'], config['heads'], train.DTYPES[config['dtype']]
  if config['network'] == 'unet':
    return UNet((width,) * config['layers'], 1, 1, config['hidden'], heads, dtype)
  return SeriesTransformer(width, config['layers'], heads, config['hidden'], dtype)


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  classes, weight = about.classes_if(config['conditional']), config['fourier']

  def in_frequencies(expected: Array, data: Array) -> Array:
    return weight * fourier(expected, data)
  objective = flow_matching(
      network(config), about.image_shape, prediction=PREDICTIONS[config['prediction']],
      num_classes=classes, label_dropout=config['label_dropout'],
      solver=SOLVERS[config['solver']], solver_steps=config['solver_steps'],
      guidance=config['guidance'], crop=FARTHEST if config['whiten'] else 1.,
      extra=in_frequencies if weight else None)
  if config['whiten']:
    objective = whitened(objective, about.image_shape)
  rate = train.rate(config['learning_rate'], config)
  return runs.Run(
      objective, {'flow': optax.adam(rate)}, ema=ts.EMA(('flow',), config['ema_decay']),
      num_classes=classes,
      summary=f'A flow of {"white " * config["whiten"]}series'
      f'{" given the label" if classes else ""} ({config["network"]}, prediction '
      f'{config["prediction"]}, {config["solver_steps"]} steps of {config["solver"]})')


if __name__ == '__main__':
  train.main(define_flags, build)
