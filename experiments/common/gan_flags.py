"""The flags of every GAN: loss, penalties, what the discriminator sees; and the run they mean."""
from collections.abc import Callable, Mapping
from typing import Any

from absl import flags
import jax
import optax

from common import train
from jaxsynth import runs, train_step as ts
from jaxsynth.data import augment
from jaxsynth.losses import adversarial, penalties, relativistic
from jaxsynth.losses.adversarial import GANLoss
from jaxsynth.losses.penalties import Penalty
from jaxsynth.models import dcgan
from jaxsynth.objectives import network
from jaxsynth.objectives.ada import DiscriminatorAugmentation
from jaxsynth.objectives.adaptive_critic import adaptive_critic, still_at_zero
from jaxsynth.objectives.gan import gan, packed

LOSSES = {'non_saturating': adversarial.NON_SATURATING,
          'saturating': adversarial.SATURATING,
          'least_squares': adversarial.LEAST_SQUARES,
          'hinge': adversarial.HINGE,
          'wasserstein': adversarial.WASSERSTEIN,
          'relativistic': relativistic.RELATIVISTIC,
          'relativistic_average': relativistic.RELATIVISTIC_AVERAGE}
PENALTIES: dict[str, Callable[..., Penalty]] = {
    'r1': penalties.r1, 'r2': penalties.r2,
    'gradient_penalty': penalties.gradient_penalty, 'dragan': penalties.dragan}
LABELLED = ('non_saturating', 'saturating', 'least_squares')
BOUNDED = ('non_saturating', 'saturating', 'hinge')  # whose boundary is a logit of 0
TARGET = .6  # of ADA


def define(values: flags.FlagValues) -> None:
  """Defines them."""
  choice, number = flags.DEFINE_enum, flags.DEFINE_float
  at_least: dict[str, Any] = {'lower_bound': 0, 'flag_values': values}
  flags.DEFINE_integer('latent_dim', 100, 'Size of the latent.', lower_bound=1, flag_values=values)
  number('temperature', 1., 'Standard deviation of the latents of samples; above 1 images are more '
         'varied and less faithful, below 1 the other way.', **at_least)
  flags.register_validator('temperature', lambda x: x is None or x > 0, 'expected more than 0',
                           flag_values=values)
  choice('loss', 'non_saturating', list(LOSSES), 'Adversarial loss.', flag_values=values)
  number('label_smoothing', 0., 'Share by which real images count as fakes; of the losses '
         f'{", ".join(LABELLED)}.', upper_bound=1, **at_least)
  for name, what in (('r1', 'squared slope at real images'), ('r2', 'squared slope at fakes'),
                     ('gradient_penalty', "slope's distance from 1 between both, WGAN-GP"),
                     ('dragan', "slope's distance from 1 near real images"),
                     ('consistency', 'square of what colours, shifts and cutouts change in a '
                      'logit, whatever --augment is')):
    number(name, 0., f"Weight of a penalty of the discriminator's {what}; 0 for none.", **at_least)
  flags.DEFINE_integer('penalty_every', 1, 'Steps from one computation of the penalties to the '
                       'next, with as many times the weight.', lower_bound=1, flag_values=values)
  number('last_penalty', 1., 'Share of their weights that is left at the end, if --schedule is '
         'not constant.', **at_least)
  flags.DEFINE_integer('packing', 1, 'Images that the discriminator judges together.',
                       lower_bound=1, flag_values=values)
  choice('augment', 'none', ['none', 'diffaugment', 'ada'], 'What the discriminator sees images '
         'through: nothing, colours, shifts and cutouts always, or as often as it needs to be '
         'less sure of real images.', flag_values=values)
  number('ada_images', 500e3, 'Real images that take the share of --augment=ada from 0 to 1.',
         lower_bound=1, flag_values=values)
  number('adaptive_critic', 0., 'Let the generator wait, 2, 5, 10 steps and more, where the '
         'discriminator knows no larger share of its images than this, as 0.6; 0 never.',
         upper_bound=1, **at_least)
  flags.register_validator('adaptive_critic', lambda x: x < 1, 'expected less than 1',
                           flag_values=values)
  flags.DEFINE_integer('critic_grace', 200, 'Updates of the generator before it waits for longer, '
                       'with --adaptive_critic.', lower_bound=1, flag_values=values)
  flags.register_multi_flags_validator(
      ['devices', 'batch_size', 'accumulate', 'packing'],
      lambda f: f['batch_size'] % (f['devices'] * f['accumulate'] * f['packing']) == 0,
      '--batch_size must be a multiple of --devices times --accumulate times --packing',
      flag_values=values)
  flags.register_multi_flags_validator(
      ['loss', 'label_smoothing'],
      lambda f: f['label_smoothing'] < 1 and (not f['label_smoothing'] or f['loss'] in LABELLED),
      f'--label_smoothing must be less than 1, and needs --loss={", ".join(LABELLED)}',
      flag_values=values)
  flags.register_multi_flags_validator(
      ['loss', 'augment'], lambda f: f['augment'] != 'ada' or f['loss'] in BOUNDED,
      f'--augment=ada follows the sign of real logits: it needs --loss={", ".join(BOUNDED)}',
      flag_values=values)
  flags.register_multi_flags_validator(
      ['schedule', 'last_penalty'],
      lambda f: f['last_penalty'] == 1 or f['schedule'] != 'constant',
      '--last_penalty needs a --schedule that is not constant', flag_values=values)
  flags.register_multi_flags_validator(
      ['penalty_every', *PENALTIES, 'consistency'],
      lambda f: f['penalty_every'] == 1 or any(f[name] for name in (*PENALTIES, 'consistency')),
      f'--penalty_every needs a penalty: --{", --".join(PENALTIES)}, --consistency',
      flag_values=values)


def define_conditioning(values: flags.FlagValues) -> None:
  """Defines what a discriminator that has the choice makes of a label."""
  flags.DEFINE_enum('conditioning', 'projection', list(dcgan.CONDITIONINGS), 'What becomes of a '
                    'label in the discriminator, with --conditional.', flag_values=values)
  flags.DEFINE_float('auxiliary', 1., 'Weight of the classes in both losses, with '
                     '--conditioning=auxiliary.', flag_values=values)
  flags.register_validator('auxiliary', lambda x: x > 0, 'expected more than 0',
                           flag_values=values)
  flags.register_multi_flags_validator(
      ['conditioning', 'conditional'],
      lambda f: f['conditional'] or f['conditioning'] == 'projection',
      '--conditioning needs --conditional', flag_values=values)


def loss(config: Mapping[str, Any]) -> GANLoss:
  """The adversarial loss that they mean."""
  chosen, smoothing = LOSSES[config['loss']], config['label_smoothing']
  return adversarial.smoothed(chosen, smoothing) if smoothing else chosen


def terms(config: Mapping[str, Any], image_shape: tuple[int, int, int]) -> list[Penalty]:
  """The penalties that they mean, of images `(H, W, C)`."""
  every, share = config['penalty_every'], config['last_penalty']
  weight = lambda name: config[name] if share == 1 else train.between(
      config[name], share * config[name], config)
  chosen = [make(weight(name), every=every) for name, make in PENALTIES.items() if config[name]]
  if config['consistency']:
    moves = augment.diff_augment(image_shape[:2])
    chosen.append(penalties.consistency(lambda keys, x: moves(keys, x, 1.), weight('consistency'),
                                        every))
  return chosen


def augmentation(config: Mapping[str, Any], image_shape: tuple[int, int, int]
                 ) -> DiscriminatorAugmentation | None:
  """What the discriminator sees images `(H, W, C)` through."""
  if config['augment'] == 'none':
    return None
  adaptive = config['augment'] == 'ada'
  return DiscriminatorAugmentation(augment.diff_augment(image_shape[:2]), 0. if adaptive else 1.,
                                   TARGET if adaptive else None, config['ada_images'])


def run(config: Mapping[str, Any], about: runs.About, generator: Any, discriminator: Any,
        optimizers: Mapping[str, optax.GradientTransformation], **more: Any) -> runs.Run:
  """The run of two networks that they mean; `more` is `schedule`, `summary` and the like."""
  classes, packing = about.classes_if(config['conditional']), config['packing']

  def logits(state: ts.TrainState, image: jax.Array, *labels: jax.Array) -> jax.Array:
    out = network.apply(discriminator, state.params['discriminator'],
                        state.variables['discriminator'], packed(image, packing), *labels)[0]
    return out[0] if auxiliary(config) else out

  def decode(params: Any, variables: Any, *args: jax.Array) -> jax.Array:
    return network.apply(generator, params['generator'], variables['generator'], *args)[0]

  objective = gan(generator, discriminator, loss(config), latent_dim=config['latent_dim'],
                  num_classes=classes, packing=packing, temperature=config['temperature'],
                  penalties=terms(config, about.picture_shape),
                  augmentation=augmentation(config, about.picture_shape),
                  auxiliary=auxiliary(config))
  if config['adaptive_critic']:
    objective = adaptive_critic(objective, config['adaptive_critic'], grace=config['critic_grace'])
    optimizers = {**optimizers, 'generator': still_at_zero(optimizers['generator'])}
  return runs.Run(
      objective, optimizers, ema=ts.EMA(('generator',), config['ema_decay']), num_classes=classes,
      logits=logits, packing=packing, decoder=runs.Decoder(config['latent_dim'], decode),
      signals=runs.collapse.OF_GANS, **more)


def auxiliary(config: Mapping[str, Any]) -> float:
  """The weight of the classes that the discriminator sees; 0 where it has no output for them."""
  wanted = config['conditional'] and config.get('conditioning') == 'auxiliary'
  return config['auxiliary'] if wanted else 0.
