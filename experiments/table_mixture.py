r"""Trains a mixture of products on the rows of a table and writes synthetic rows.

    python experiments/table_mixture.py --flagfile=experiments/flags/table_mixture.flags \
        --workdir=/tmp/mixture

It leaves and resumes what mnist_dcgan.py does. The loss is the exact negative log-likelihood of a
row, with its label if --conditional, in nats.
"""
from collections.abc import Mapping
from typing import Any

from absl import flags
import jax
import jax.numpy as jnp
import optax

from common import rows, train
from jaxsynth import runs, train_step as ts
from jaxsynth.models.row_draws import draw
from jaxsynth.models.row_mixture import RowMixture
from jaxsynth.objectives.table_mixture import table_mixture

SAMPLING: tuple[str, ...] = ()


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a study of mixtures."""
  train.define(values)
  flags.DEFINE_integer('components', 1000, 'Of the mixture.', lower_bound=1, flag_values=values)
  for name, number, what in (
      ('floor', .01, 'The least scale of numbers in a component, in normal scores.'),
      ('learning_rate', .1, 'Of Adam.')):
    flags.DEFINE_float(name, number, what, flag_values=values)
    flags.register_validator(name, lambda x: x > 0, 'expected more than 0', flag_values=values)
  flags.DEFINE_float('shrinkage', .05, "How far a component's own classes are drawn to those that "
                     'all share in a step, as a share of the learning rate; more of it copies less '
                     'from single rows.', lower_bound=0, flag_values=values)
  flags.DEFINE_float('hidden_share', 0., 'Share of the values of a row that are left out in '
                     'training, which copies less from single rows too.', lower_bound=0,
                     flag_values=values)
  flags.register_validator('hidden_share', lambda x: x < 1, 'expected a share in [0, 1)',
                           flag_values=values)


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  classes = about.classes_if(config['conditional'])
  model = RowMixture(rows.layout_of(about), config['components'], classes, config['floor'])

  def log_weights(params: Any, variables: Any, batch: Any, keys: jax.Array, count: int
                  ) -> jax.Array:
    labels = None if classes is None else batch['label']
    each = model.log_likelihood(params['mixture'], batch['row'], labels)
    return jnp.broadcast_to(each[None], (count, len(each)))  # exact, whatever the draw

  drawn_back = {'own': True, 'shared': False, 'weights': False, 'means': False,
                'log_scales': False}
  return runs.Run(
      table_mixture(model, draw, hidden=config['hidden_share']),
      {'mixture': optax.chain(
          optax.scale_by_adam(b2=.99), optax.add_decayed_weights(config['shrinkage'], drawn_back),
          optax.scale_by_learning_rate(train.rate(config['learning_rate'], config)))},
      ema=ts.EMA(('mixture',), config['ema_decay']), num_classes=classes,
      density=runs.Density(log_weights, lambda values: ''),
      summary=f'A mixture of {config["components"]:,} products'
      f'{" of rows and their label" if classes else ""}')


if __name__ == '__main__':
  train.main(define_flags, build)
