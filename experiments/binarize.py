r"""Writes a data set binarised once, for likelihoods: an .npz file a role.

    python experiments/binarize.py --dataset=mnist --data_dir=$TFDS --split='train[:50000]' \
        --validation_split='train[50000:]' --out=/tmp/static

leaves train.npz, validation.npz and test.npz in --out, which every program takes as
--dataset, and binarized.json, with the seed, the roles' splits and a SHA-256 of each role's
images. The same flags give the same images.
"""
import hashlib
import json
import pathlib
from typing import Any

from absl import flags
import numpy as np

from common import dataset_flags, paths, program, role_flags, seeds
from jaxsynth import data, files
from jaxsynth.data import binarize, classes, spec as specs

ROLES = ('train', 'validation', 'test')


def define_flags(values: flags.FlagValues) -> None:
  """The data set, the roles of its splits, and the seed."""
  role_flags.define_splits(values)
  paths.define('out', None, 'Folder of the files; made if missing.', values, required=True)
  seeds.define(values, 'Of the binarisation.')


def main() -> None:
  values = flags.FLAGS
  roles, spec_of = role_flags.roles(values)
  out, sets = pathlib.Path(values.out), {}
  opened = {role: data.open_dataset(spec_of[role]) for role in ROLES if role in spec_of}
  out.mkdir(parents=True, exist_ok=True)
  for role, source in opened.items():
    everything = source.take(np.arange(source.size))
    images = binarize.binarized(everything['image'], values.seed, ROLES.index(role))
    arrays: dict[str, Any] = {'images': images}
    if 'label' in everything:
      arrays |= {'labels': everything['label'],
                 'class_names': np.array(classes.names_of(source))}
    with files.write_aside(out / f'{role}.npz') as f:
      np.savez_compressed(f, **arrays)
    sets[role] = {'split': specs.short_name(getattr(roles, role) or 'train'),
                  'size': len(images), 'white': float((images > 0).mean()),
                  'sha256': hashlib.sha256(images.tobytes()).hexdigest()}
    print(f'{role}: {len(images):,} images')
  with files.write_aside(out / 'binarized.json') as f:
    f.write(json.dumps({'dataset': dataset_flags.spec(values).title, 'seed': values.seed,
                        'rule': 'each pixel 255 with probability x / 255, drawn once',
                        'sets': sets}, indent=1).encode() + b'\n')
  program.done(out)


if __name__ == '__main__':
  program.run(main, define_flags, compiles=False)
