r"""Says what --image_size and what goes with it make of a data set, before it is trained on.

    python experiments/preprocess.py --dataset=./photos --image_size=32,32 --channels=3 \
        --fit=pad --report=/tmp/prepared

Every program takes the same flags and applies them itself, so no copy of the data is written.
Into --report go preprocess.json, with the numbers before and after, and report.html, where
examples are seen before and after.
"""
import json
import pathlib

from absl import flags

from common import dataset_flags, program, role_flags
from jaxsynth import files, report
from jaxsynth.data import fingerprint as fingerprints, opening
from jaxsynth.pages import preprocessing


def define_flags(values: flags.FlagValues) -> None:
  """The data set, the shape of its images, and the roles of its splits."""
  role_flags.define(values)


def main() -> None:
  _, spec_of = role_flags.roles(flags.FLAGS)
  before = {role: opening.open_raw(x) for role, x in spec_of.items()}
  after = {role: opening.open_dataset(x) for role, x in spec_of.items()}
  check_one_shape({role: source.image_shape for role, source in after.items()})
  sets = {role: {'before': fingerprints.fingerprint(before[role]),
                 'after': fingerprints.fingerprint(after[role])} for role in spec_of}
  folder = pathlib.Path(flags.FLAGS.report)
  folder.mkdir(parents=True, exist_ok=True)
  given = dataset_flags.given(flags.FLAGS)
  with files.write_aside(folder / 'preprocess.json') as f:
    f.write(json.dumps({
        **{name: given[name] for name in ('image_size', 'channels', 'fit')},
        **({'log_changes': True} if given['log_changes'] else {}),
        'image_shape': list(after['train'].image_shape),
        'changed': preprocessing.any_changed(sets), 'sets': sets}, indent=1).encode() + b'\n')
  how = 'Every value is the change of its logarithm since the step before.' if (
      given['log_changes']) else ''
  report.write(folder / 'report.html', preprocessing.page(
      sets, before['train'], after['train'], how))
  program.done(folder / 'report.html')


def check_one_shape(shapes: dict[str, tuple[int, ...]]) -> None:
  """All sets must come out alike.

  Raises:
    ValueError: they do not.
  """
  if len(set(shapes.values())) > 1:
    each = ', '.join(f'{role} {"x".join(map(str, x))}' for role, x in shapes.items())
    raise ValueError(f'images of different shapes ({each}): bring them to one by --image_size '
                     'and --channels')


if __name__ == '__main__':
  program.run(main, define_flags, compiles=False)
