r"""Opens a data set, checks its flags and says what is there, before anything is changed.

    python experiments/collect.py --dataset=mnist5k --report=/tmp/collected

Into --report goes collection.json: of the examples trained on, of those held out and of those
tested on the size, the shapes, the classes and a SHA-256 of every example; and where the data
come from and on what terms, as far as they say. The same data give the same bytes, wherever
they lie.
"""
import json
import pathlib

from absl import flags

from common import dataset_flags, program, role_flags
from jaxsynth import files
from jaxsynth.data import classes, fingerprint as fingerprints, opening, spec as specs
from jaxsynth.data.kinded import kind_of


def define_flags(values: flags.FlagValues) -> None:
  """The data set, and the roles of its splits."""
  role_flags.define(values)


def main() -> None:
  spec = dataset_flags.spec(flags.FLAGS)
  roles, spec_of = role_flags.roles(flags.FLAGS)
  sets, settings = {}, {}
  for role, own_spec in spec_of.items():
    source = opening.open_raw(own_spec)
    name = own_spec.split if specs.split_names(own_spec) else own_spec.title
    sets[role] = {'split': name, 'names': list(classes.names_of(source)),
                  'skipped': dict(getattr(source, 'skipped', ())),
                  **fingerprints.fingerprint(source)}
    kind = kind_of(source)
    settings[role] = {'kind': dict(kind.settings)} if kind.settings else {}
    print(f'{role}: {source.size:,} {kind.plural}')
  credit = specs.credit(spec)
  folder = pathlib.Path(flags.FLAGS.report)
  folder.mkdir(parents=True, exist_ok=True)
  with files.write_aside(folder / 'collection.json') as f:
    f.write(json.dumps({
        'dataset': spec.title, **settings['train'],
        'names': sets['train']['names'],
        'credit': credit and credit._asdict(), 'roles': {
            role: split and specs.short_name(split) for role, split in roles._asdict().items()},
        'sets': sets},
        indent=1).encode() + b'\n')
  program.done(folder / 'collection.json')


if __name__ == '__main__':
  program.run(main, define_flags, compiles=False)
