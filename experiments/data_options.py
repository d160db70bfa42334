"""The flags that name a data set, of every study."""
from typing import Any

from absl import flags

FLAGS = flags.FLAGS

flags.DEFINE_string('dataset', 'mnist5k', "'mnist5k' (embedded), the name of a prepared "
                    'tfds data set, a folder of images, or an .npz file.')
flags.DEFINE_string('data_dir', None, 'Where tfds data sets are prepared.')
flags.DEFINE_string('split', 'train', "Split of a tfds data set or of mnist5k, as "
                    "'train[:55000]'.")
flags.DEFINE_string('image_key', 'image', "A tfds data set's feature of images.")
flags.DEFINE_string('label_key', 'label', "A tfds data set's feature of labels; empty for "
                    'none.')
flags.DEFINE_list('image_size', None, 'Height and width, as 28,28; the data\'s own by '
                  'default.')
flags.DEFINE_integer('channels', None, "1 or 3; the data's own by default.")
flags.DEFINE_enum('fit', 'crop', ['crop', 'pad'], 'How images come to --image_size.')

NAMES = tuple(flag.name for flag in FLAGS.get_key_flags_for_module(__name__))


def positive(values: list[str]) -> bool:
  """Whether they are positive integers, one at least."""
  return bool(values) and all(v.strip().isdigit() and int(v) > 0 for v in values)


flags.register_validator(
    'image_size', lambda v: v is None or len(v) == 2 and positive(v),
    'expected height and width, as 28,28')
flags.register_validator('channels', lambda v: v in (None, 1, 3), 'expected 1 or 3')


def config() -> dict[str, Any]:
  """Every flag's value, as JSON holds it."""
  return {name: plain(FLAGS[name].value) for name in NAMES}


def plain(value: Any) -> Any:
  """A flag's value as JSON holds it: lists are of integers."""
  return [int(v) for v in value] if isinstance(value, list) else value
