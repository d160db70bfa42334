r"""Opens a data set, checks its flags and says what is there, before anything is changed.

    python experiments/collect.py --dataset=mnist5k --report=/tmp/collected

Into --report goes collection.json: of the images trained on, of those held out and of those
tested on the size, the shapes, the classes and a SHA-256 of every example; and where the data
come from and on what terms, as far as they say. The same data give the same bytes, wherever
they lie.
"""
import clock  # first: it says when

import json
import pathlib
import time

from absl import app, flags

import collected
import data_options
from jaxsynth import files
import role_options
import sets
import startup

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(role_options)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  startup.quiet()
  config = data_options.config()
  try:
    role = collected.roles(config, FLAGS.validation_split, FLAGS.test_split)
    found = {}
    for name, own in collected.configs(config, role).items():
      source = collected.raw(own)
      found[name] = {'split': own['split'] if sets.splits_of(own) else own['dataset'],
                     **collected.fingerprint(source)}
      print(f'{name}: {source.size:,} images')
    classes = found['train']['classes']
    names = sets.class_names(config, len(classes)) if classes else []
    credit = collected.credit(config)
    folder = pathlib.Path(FLAGS.report).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    with files.write_aside(folder / 'collection.json') as f:
      f.write(json.dumps({'dataset': pathlib.Path(config['dataset']).name, 'names': names,
                          'credit': credit and credit._asdict(), 'roles': role,
                          'sets': found}, indent=1).encode() + b'\n')
  except (ValueError, OSError, ImportError) as error:
    raise app.UsageError(str(error)) from error
  print(f'done: {folder / "collection.json"} ({time.perf_counter() - clock.START:.0f} s)')


if __name__ == '__main__':
  app.run(main)
