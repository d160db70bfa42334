"""The flags of reflow: a flow that learns from what a trained one has made of noise."""
from collections.abc import Callable, Mapping
from typing import Any

from absl import flags

from common import experiments, paths
from jaxsynth import runs
from jaxsynth.objectives.reflow import reflow
from jaxsynth.types import Objective, PerPlayer

SHARED = ('path', 'prediction', 'conditional', 'heads')  # what shapes of parameters do not tell


def define(values: flags.FlagValues) -> None:
  """Defines them."""
  paths.define('teacher', None, 'The --workdir of a trained flow of the same network, to start '
               'from and to learn the pairs of noise and image of (reflow); asked for when '
               'training starts or goes on.', values)
  flags.DEFINE_integer('teacher_steps', 5, 'Of Heun, by which the teacher makes an image.',
                       lower_bound=1, flag_values=values)


def taught(config: Mapping[str, Any], student: Objective, flow: Callable[..., Objective],
           num_classes: int | None) -> Objective:
  """The student with its teacher, if the flags name one.

  Args:
    config: the flags.
    student: the flow that they mean.
    flow: `(solver_steps=) -> Objective`, the teacher's.
    num_classes: of both.
  """
  if not config['teacher']:
    return student

  def trained() -> tuple[PerPlayer, PerPlayer]:
    model = experiments.load(config['teacher'])
    if 'flow' not in model.params:
      raise runs.RunError(f'--teacher={config["teacher"]}: {model.run.summary} is no flow; name '
                          'the --workdir of one that mnist_flow.py has trained')
    before = experiments.config_of(model.record)
    for name in SHARED:
      if before.get(name) != config[name]:
        raise runs.RunError(f'--teacher={config["teacher"]} was trained with --{name}='
                            f'{before.get(name)}, expected {config[name]} as here')
    return model.params, model.variables
  return reflow(student, flow(solver_steps=config["teacher_steps"]), trained, num_classes)
