"""`--download`, of every program that names a data set: nothing is downloaded without it."""
import pathlib

from absl import flags

from jaxsynth import data


def define(values: flags.FlagValues) -> None:
  """Defines it."""
  flags.DEFINE_bool('download', False, 'If --dataset is a tfds data set that is not prepared in '
                    '--data_dir, download it and prepare it there; others are left as they are.',
                    flag_values=values)


def prepare(values: flags.FlagValues) -> None:
  """Prepares the data set of a program that was given the flag; a no-op for all others.

  Raises:
    As `data.download_dataset`.
    ValueError: a folder is named, that is not there.
    SystemExit: it was stopped by Ctrl-C.
  """
  if 'download' not in values or not values['download'].value:
    return
  spec = data.DatasetSpec(str(values['dataset'].value), data_dir=values['data_dir'].value)
  if spec.kind == 'folder' and not pathlib.Path(spec.dataset).expanduser().exists():
    raise ValueError(
        f'--download: {spec.dataset} reads as a folder, which is not there, and not as the name of '
        'a tfds data set; of one with configurations, as emnist/letters, call '
        'data.download_dataset(name, data_dir) and give the folder that it returns as --dataset')
  if spec.kind != 'tfds' or data.is_prepared(spec.dataset):
    return
  try:
    data.download_dataset(spec.dataset, spec.data_dir)
  except KeyboardInterrupt as error:
    raise SystemExit('stopped; files that came whole stay, and the same command goes on'
                     ) from error
