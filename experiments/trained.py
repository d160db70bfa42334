"""A run's generator, from the folder that the run left."""
from collections.abc import Iterator
import contextlib
import hashlib
import json
import pathlib
from typing import Any, NamedTuple

from absl import logging

import build
from jaxsynth import checkpoint
from jaxsynth.types import PerPlayer


class Trained(NamedTuple):
  """What sampling needs, and where it is from.

  Attributes:
    run: the networks, rebuilt.
    params: of the averaged generator.
    variables: of the averaged generator.
    digest: SHA-256 of params and variables.
    record: the run's `config.json`.
    folder: of the run.
    temperature: of its samples.
  """
  run: build.Run
  params: PerPlayer
  variables: PerPlayer
  digest: str
  record: dict[str, Any]
  folder: pathlib.Path
  temperature: float = 1.

  @property
  def image_shape(self) -> tuple[int, int, int]:
    """`(H, W, C)`."""
    height, width, channels = self.record['data']['image_shape']
    return height, width, channels

  @property
  def provenance(self) -> dict[str, Any]:
    """What a data set says of its model; no paths."""
    flags = {k: v for k, v in self.record['flags'].items() if k != 'data_dir'}
    changed = {} if self.temperature == 1 else {'temperature': self.temperature}
    return {'digest': self.digest, 'flags': flags, 'data': self.record['data'], **changed}


def load(folder: str, step: int | None = None, temperature: float = 1.) -> Trained:
  """Rebuilds a run and reads its newest whole checkpoint, or that of `step`.

  Raises:
    ValueError: a temperature that is not above 0.
    FileNotFoundError: no run there, or no checkpoint.
    checkpoint.CheckpointError: none is whole.
  """
  path = pathlib.Path(folder).expanduser()
  if not (path / 'config.json').is_file():
    raise FileNotFoundError(f'{path}: no run there (no config.json); expected the --workdir of '
                            'experiments/mnist_dcgan.py')
  record = json.loads((path / 'config.json').read_text(encoding='utf-8'))
  about = record['data']
  run = build.build(record['flags'], tuple(about['image_shape']), about['num_classes'],
                    temperature)
  with hushed():
    params, variables = checkpoint.load_generator(path / 'checkpoints', step)
  return Trained(run, params, variables, digest(params, variables), record, path,
                 temperature)


@contextlib.contextmanager
def hushed() -> Iterator[None]:
  """Orbax warns of reading only."""
  verbosity = logging.get_verbosity()
  logging.set_verbosity(logging.ERROR)
  try:
    yield
  finally:
    logging.set_verbosity(verbosity)


def digest(params: PerPlayer, variables: PerPlayer) -> str:
  """SHA-256 of a model."""
  leaves = checkpoint.digests({'params': params, 'variables': variables})
  return hashlib.sha256(json.dumps(leaves, sort_keys=True).encode()).hexdigest()
