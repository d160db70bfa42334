r"""Trains a flow or a diffusion model and writes synthetic images.

    python experiments/mnist_flow.py --flagfile=experiments/flags/mnist_flow.flags \
        --data_dir=$TFDS --workdir=/tmp/flow

It leaves and resumes what mnist_dcgan.py does. How samples are drawn, by --solver, --solver_steps
and the --guidance flags, may be changed once it is trained.
"""
from collections.abc import Mapping
import functools
from typing import Any

from absl import flags
import optax

from common import guidance_flags, reflow_flags, train, unet_flags
from jaxsynth import runs, train_step as ts
from jaxsynth.losses import flow, paths
from jaxsynth.objectives import solvers
from jaxsynth.objectives.flow_matching import flow_matching

PATHS = {'rectified': paths.rectified, 'variance_preserving': paths.variance_preserving,
         'edm': paths.edm}
PREDICTIONS = {'velocity': flow.VELOCITY, 'noise': flow.NOISE, 'data': flow.DATA,
               'preconditioned': flow.preconditioned()}
SOLVERS = {'heun': solvers.heun, 'euler': solvers.euler, 'ddim': solvers.ancestral(0.),
           'ancestral': solvers.ancestral()}
SAMPLING = ('solver', 'solver_steps', *guidance_flags.SAMPLING)


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a flow study."""
  train.define(values)
  for name, first, kinds, what in (
      ('path', 'rectified', PATHS, 'From noise to data.'),
      ('prediction', 'velocity', PREDICTIONS, 'What the network says.'),
      ('measured', None, PREDICTIONS, 'Whose squared error is the loss; by default that of '
       '--prediction.'),
      ('solver', 'heun', SOLVERS, 'Of samples; heun evaluates the network twice a step.')):
    flags.DEFINE_enum(name, first, list(kinds), what, flag_values=values)
  flags.DEFINE_integer('solver_steps', 10, 'From noise to a sample.', lower_bound=1,
                       flag_values=values)
  unet_flags.define(values)
  reflow_flags.define(values)
  guidance_flags.define(values)
  for name, number, what in (
      ('time_mean', 0., 'Of the logit of the times that are trained, with the path edm of the '
       "noise's logarithm, there -1.2 in its paper."),
      ('time_std', 1., 'Its standard deviation, 1.2 there.'),
      ('learning_rate', 1e-3, 'Of Adam.')):
    flags.DEFINE_float(name, number, what, flag_values=values)
  for name in ('learning_rate', 'time_std'):
    flags.register_validator(name, lambda x: x > 0, 'expected more than 0', flag_values=values)


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  classes = about.classes_if(config['conditional'])
  times = (flow.log_normal if config['path'] == 'edm' else flow.logit_normal)(
      config['time_mean'], config['time_std'])
  model = functools.partial(
      flow_matching, unet_flags.network(config, about), about.image_shape, PATHS[config['path']](),
      PREDICTIONS[config['prediction']], measured=PREDICTIONS.get(config['measured']), times=times,
      num_classes=classes, label_dropout=config['label_dropout'])
  student = model(solver=SOLVERS[config['solver']], solver_steps=config['solver_steps'],
                  **guidance_flags.options(config))
  return runs.Run(
      reflow_flags.taught(config, student, model, classes),
      {'flow': optax.adam(train.rate(config['learning_rate'], config))},
      ema=ts.EMA(('flow',), config['ema_decay']), num_classes=classes,
      guide_step=config['guide_step'],
      summary=f'A flow{" given the label" if classes else ""} (path {config["path"]}, prediction '
      f'{config["prediction"]}, {config["solver_steps"]} steps of {config["solver"]})')


if __name__ == '__main__':
  train.main(define_flags, build)
