"""The flags of a GAN study, checked before any work."""
from typing import Any

from absl import flags

import data_options

FLAGS = flags.FLAGS

flags.DEFINE_string('workdir', None, 'Folder of all outputs; made if missing.',
                    required=True)
flags.DEFINE_bool('fresh', False, 'Remove the run in --workdir and start anew.')
flags.DEFINE_integer('seed', 0, 'Of everything random.', lower_bound=0)

flags.DEFINE_integer('steps', 3000, 'Steps of the whole run.', lower_bound=1)
flags.DEFINE_integer('batch_size', 64, 'Images a step, all devices together.',
                     lower_bound=1)
flags.DEFINE_integer('discriminator_steps', 1, 'Discriminator updates a step; with 1, '
                     'both networks are updated together.', lower_bound=1)
flags.DEFINE_integer('accumulate', 1, 'Parts that a step takes its batch in, to save memory; '
                     'needs --generator_norm=group.', lower_bound=1)
flags.DEFINE_enum('loss', 'non_saturating', ['non_saturating', 'relativistic_average'],
                  'Adversarial loss.')
flags.DEFINE_integer('packing', 1, 'Images that the discriminator judges together.',
                     lower_bound=1)
flags.DEFINE_float('generator_learning_rate', 1e-4, 'Of Adam.', lower_bound=0)
flags.DEFINE_float('discriminator_learning_rate', 5e-4, 'Of Adam.', lower_bound=0)
flags.DEFINE_enum('schedule', 'constant', ['constant', 'cosine'], 'Of both learning '
                  'rates, over --steps.')
flags.DEFINE_float('b1', 0., "Adam's first decay.", lower_bound=0, upper_bound=1)
flags.DEFINE_float('b2', 0.999, "Adam's second decay.", lower_bound=0, upper_bound=1)
flags.DEFINE_float('ema_decay', 0.99, 'Of the averaged generator.',
                   lower_bound=0, upper_bound=1)

flags.DEFINE_integer('latent_dim', 100, 'Size of the latent.', lower_bound=1)
flags.DEFINE_bool('conditional', False, 'Give both networks the label.')
flags.DEFINE_integer('generator_width', 128, 'Channels.', lower_bound=1)
flags.DEFINE_integer('discriminator_width', 128, 'Channels.', lower_bound=1)
flags.DEFINE_bool('tapered', False, "Twice the channels where images are half as large, in both "
                  "networks, as in DCGAN; the widths are then the largest image's.")
flags.DEFINE_enum('generator_norm', 'batch', ['batch', 'group'], 'Normalisation: of the '
                  'batch, or of each example.')
flags.DEFINE_bool('conditional_norm', False, 'Give every label its own scale and shift in the '
                  "generator's normalisation; needs --conditional.")
flags.DEFINE_list('generator_strides', '1,2,2', 'Of each transposed convolution.')
flags.DEFINE_list('discriminator_strides', '2,2', 'Of each convolution.')
flags.DEFINE_integer('kernel_size', 5, 'Of both networks\' strided convolutions.',
                     lower_bound=1)
flags.DEFINE_float('dropout', 0.3, "The discriminator's.", lower_bound=0, upper_bound=1)
flags.DEFINE_enum('dtype', 'float32', ['float32', 'bfloat16'], 'Of the computation.')

flags.DEFINE_enum('parallel', 'jit', ['jit', 'pmap', 'sharded'], 'How steps compile.')
flags.DEFINE_integer('devices', 1, 'How many; on CPU they are virtual.', lower_bound=1)
flags.DEFINE_bool('global_batch_norm', True, 'Under pmap, batch statistics over all '
                  'devices; under sharded they always are.')

flags.DEFINE_integer('steps_per_call', 1, 'Steps fused into one compiled call; intervals '
                     'must be multiples of it.', lower_bound=1)
flags.DEFINE_bool('compilation_cache', True, 'Keep compiled programs between runs.')

flags.DEFINE_integer('log_every', 10, 'Steps between lines of metrics.jsonl.',
                     lower_bound=1)
flags.DEFINE_integer('sample_every', 200, 'Steps between sample grids; 0: at the end.',
                     lower_bound=0)
flags.DEFINE_integer('checkpoint_every', 500, 'Steps between checkpoints; the last step '
                     'always has one.', lower_bound=1)
flags.DEFINE_integer('eval_every', 0, 'Steps between lines of scores.jsonl, each with a '
                     'checkpoint, of which the best is kept; 0 for none.', lower_bound=0)
flags.DEFINE_integer('eval_samples', 2000, 'Synthetic images that are scored.', lower_bound=200)
flags.DEFINE_string('eval_split', None, 'Real images that they are scored against: a split, a '
                    'folder or an .npz file; by default the validation split.')
flags.DEFINE_bool('tensorboard', True, 'Write TensorBoard event files.')
flags.DEFINE_integer('num_synthetic', 1000, 'Images in synthetic.npz.', lower_bound=0)

# What `config.json` records: everything above, by its own name.
NAMES = data_options.NAMES + tuple(
    flag.name for flag in FLAGS.get_key_flags_for_module(__name__)
    if flag.name not in ('workdir', 'fresh', 'compilation_cache'))

for _name in ('generator_strides', 'discriminator_strides'):
  flags.register_validator(
      _name, data_options.positive, 'expected positive integers with commas between, as 1,2,2')
for _name in ('b1', 'b2', 'ema_decay', 'dropout'):
  flags.register_validator(_name, lambda x: x < 1, 'expected less than 1')
for _name in ('generator_learning_rate', 'discriminator_learning_rate'):
  flags.register_validator(_name, lambda x: x > 0, 'expected more than 0')
flags.register_multi_flags_validator(
    ['conditional_norm', 'conditional'],
    lambda f: f['conditional'] or not f['conditional_norm'],
    '--conditional_norm needs --conditional')
flags.register_multi_flags_validator(
    ['devices', 'parallel'],
    lambda f: f['devices'] == 1 or f['parallel'] != 'jit',
    '--devices above 1 needs --parallel=pmap or sharded')
flags.register_multi_flags_validator(
    ['devices', 'batch_size', 'accumulate', 'packing'],
    lambda f: f['batch_size'] % (f['devices'] * f['accumulate'] * f['packing']) == 0,
    '--batch_size must be a multiple of --devices times --accumulate times --packing')
flags.register_multi_flags_validator(
    ['steps_per_call', 'steps', 'log_every', 'sample_every', 'checkpoint_every',
     'eval_every'],
    lambda f: not any(f[name] % f['steps_per_call'] for name in f),
    '--steps, --log_every, --sample_every, --checkpoint_every and --eval_every must be '
    'multiples of --steps_per_call')


def config() -> dict[str, Any]:
  """Every flag's value, as JSON holds it."""
  return {name: data_options.plain(FLAGS[name].value) for name in NAMES}
