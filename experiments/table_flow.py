r"""Trains a flow with masked classes on the rows of a table and writes synthetic rows.

    python experiments/table_flow.py --flagfile=experiments/flags/table_flow.flags \
        --workdir=/tmp/flow

It leaves and resumes what mnist_dcgan.py does. --solver_steps may be changed once it is trained.
"""
from collections.abc import Mapping
from typing import Any

from absl import flags
import optax

from common import rows, train
from jaxsynth import runs, train_step as ts
from jaxsynth.models.row_mlp import RowMLP
from jaxsynth.objectives.row_parts import parts_of
from jaxsynth.objectives.table_flow import table_flow

SAMPLING = ('solver_steps',)


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a study of flows of rows."""
  train.define(values)
  for name, number, least, what in (
      ('width', 512, 1, 'Of the network.'), ('depth', 3, 1, 'Its residual blocks.'),
      ('most_atoms', 128, 0, 'Distinct values of a column of numbers up to which these are '
       'classes.'),
      ('solver_steps', 32, 1, 'From nothing to a sample; at least as many as there are columns of '
       'classes, or some are drawn as if they were independent.')):
    flags.DEFINE_integer(name, number, what, lower_bound=least, flag_values=values)
  flags.DEFINE_float('dropout', 0., 'Rate in the network.', lower_bound=0, flag_values=values)
  flags.register_validator('dropout', lambda x: x < 1, 'expected less than 1', flag_values=values)
  for name, value, what in (
      ('class_weight', 1., 'Of the likelihood of classes beside the error of numbers.'),
      ('learning_rate', 1e-3, 'Of Adam.')):
    flags.DEFINE_float(name, value, what, flag_values=values)
    flags.register_validator(name, lambda x: x > 0, 'expected more than 0', flag_values=values)


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  classes = about.classes_if(config['conditional'])
  parts = parts_of(rows.layout_of(about), config['most_atoms'])
  net = RowMLP(sum(parts.sizes), config['width'], config['depth'], config['dropout'],
               train.DTYPES[config['dtype']])
  return runs.Run(
      table_flow(net, parts, num_classes=classes, steps=config['solver_steps'],
                 class_weight=config['class_weight']),
      {'flow': optax.adam(train.rate(config['learning_rate'], config))},
      ema=ts.EMA(('flow',), config['ema_decay']), num_classes=classes,
      summary=f'A flow of {len(parts.numbers)} numbers with {len(parts.sizes)} masked classes'
      f'{" given the label" if classes else ""} ({config["solver_steps"]} steps)')


if __name__ == '__main__':
  train.main(define_flags, build)
