"""A trained model, from the folder that its run left."""
from collections.abc import Callable, Iterator, Mapping
import contextlib
import hashlib
import json
import os
import pathlib
from typing import Any, NamedTuple

from absl import logging
import jax
import numpy as np

from jaxsynth import data, synthesis
from jaxsynth.ema import averaged_players
from jaxsynth.kinds.kind import Kind
from jaxsynth.privacy.guarantee import Guarantee
from jaxsynth.runs import scores
from jaxsynth.runs.record import about, class_names, PLACES, read_record, recorded_kind
from jaxsynth.runs.run import keys_of, Run
from jaxsynth.synthesis import online
from jaxsynth.synthesis.labels import Shares, shares_of
from jaxsynth.types import PerPlayer, TrainState

MOST_AHEAD = 16  # blocks of a rule that are drawn at once
Build = Callable[[Mapping[str, Any], Mapping[str, Any]], Run]


class Trained(NamedTuple):
  """What sampling needs, and where it is from.

  Attributes:
    run: the model, rebuilt.
    params: of the averaged players.
    variables: of the averaged players.
    digest: SHA-256 of params and variables, without a guide's.
    record: the run's `config.json`.
    folder: of the run.
    sampling: flags of sampling that are not what they were in training, by name.
    step: of the checkpoint that was asked for; `None` for the newest.
    drawn: what its samples are; `None` for what it learned from, and labels if it is conditional.
  """
  run: Run
  params: PerPlayer
  variables: PerPlayer
  digest: str
  record: dict[str, Any]
  folder: pathlib.Path
  sampling: Mapping[str, Any] = {}
  step: int | None = None
  drawn: Kind | None = None

  @classmethod
  def of(cls, run: Run, state: TrainState, source: data.Source) -> 'Trained':
    """A model that a loop of one's own has trained, for data sets, scores and exports.

    Args:
      run: the model; of it `objective` and `num_classes` are used.
      state: after training; the averaged players are drawn from, where there are any.
      source: what it learned from.
    """
    kept = jax.device_get(averaged_players(state))
    params, variables = kept['params'], kept['variables']
    record = {'experiment': None, 'flags': {}, 'data': about(source)}
    return cls(run, params, variables, digest_of(params, variables), record, pathlib.Path())

  @property
  def image_shape(self) -> tuple[int, ...]:
    """`(H, W, C)`, or the shape of an example of another kind."""
    return tuple(self.record['data']['image_shape'])

  @property
  def class_names(self) -> tuple[str, ...] | None:
    """Of the data's labels, in their order: numbers where they have none, `None` without labels."""
    return class_names(self.record)

  @property
  def kind(self) -> Kind:
    """What its samples are."""
    names = None if self.run.num_classes is None else self.class_names
    return self.drawn or recorded_kind(self.record, self.run.num_classes, names)

  @property
  def origin(self) -> str:
    """Where its samples come from, as the end of a sentence."""
    if self.drawn is not None:
      return f'{self.run.summary.lower()} (SHA-256 of its spec {self.digest})'
    return (f'a generator trained on {self.record["data"]["name"]} (SHA-256 of its parameters '
            f'{self.digest})')

  @property
  def spec(self) -> data.DatasetSpec:
    """What it was trained on."""
    return data.DatasetSpec.of(self.record['flags'])

  @property
  def provenance(self) -> dict[str, Any]:
    """What a data set says of its model; nothing of where the model's data lie.

    Of a private model there is no fingerprint of its data either: it would tell whether they are
    some data that one has at hand.
    """
    flags = {k: v for k, v in self.record['flags'].items() if k not in PLACES}
    named = {k: self.record[k] for k in ('experiment',) if k in self.record}
    hidden = ('sha256', 'digest') if 'privacy' in self.record else ('sha256',)
    kept = {k: v for k, v in self.record['data'].items() if k not in hidden}
    return {**named, 'digest': self.digest, 'flags': {'dataset': kept['name'], **flags},
            'data': kept, **self.sampling}

  @property
  def privacy(self) -> Guarantee | None:
    """What was promised to those whose data it learned from; `None` for nothing."""
    kept = self.record.get('privacy')
    return None if kept is None else Guarantee.of_json(kept)

  def streamer(self, seed: int, shares: Shares | None = None,
               **options: Any) -> synthesis.draw.Stream:
    """`synthesis.streamer` of this model; without shares all classes have equal ones."""
    shares = shares_of(self.run.num_classes, shares)
    if self.drawn is not None:  # a block of a rule is the work of one core
      options = {'ahead': min(max(2, os.cpu_count() or 1), MOST_AHEAD), **options}
    return synthesis.streamer(self.run.sample, self.params, self.variables, seed, shares,
                              to_disk=self.kind.to_disk, **options)

  def batches(self, batch_size: int, seed: int, shares: Shares | None = None,
              start: int = 0) -> Iterator[dict[str, jax.Array]]:
    """`online.batches` of this model: a loop trains on them as they are drawn.

    Raises:
      ValueError: `batch_size` below 1, or shares that are not one for each class.
    """
    shares = shares_of(self.run.num_classes, shares)
    return online.batches(self.run.sample, self.params, self.variables, batch_size, seed, shares,
                          start=start)


def load(folder: str | os.PathLike, build: Build, step: int | None = None,
         sampling: Mapping[str, Any] | None = None) -> Trained:
  """Rebuilds a run and reads its newest whole checkpoint, or that of `step`.

  Args:
    folder: of the run.
    build: `(record, sampling) -> Run`, the same model that was trained. Programs of
      `experiments/` pass one that finds the experiment which the record names.
    step: of the checkpoint; by default the newest.
    sampling: flags of sampling that differ from the run's own, say `{'temperature': 2.}`.

  Raises:
    FileNotFoundError: no run there, or no checkpoint.
    RunError: a record that cannot be used.
    checkpoint.CheckpointError: none is whole.
    ValueError: what `build` refuses.
  """
  from jaxsynth import checkpoint  # Orbax is slow to load
  path = pathlib.Path(folder).expanduser()
  record = read_record(path)
  run = build(record, dict(sampling or {}))
  with hushed():
    params, variables = checkpoint.load_averaged(path / 'checkpoints', step)
  digest = digest_of(params, variables)
  if run.guide_step is not None:
    variables = {**variables, 'guide': _guide(path, run.guide_step)}
  return Trained(run, params, variables, digest, record, path, dict(sampling or {}), step)


def _guide(path: pathlib.Path, step: int) -> PerPlayer:
  """The averaged model of an earlier step."""
  from jaxsynth import checkpoint
  try:
    with hushed():
      params, variables = checkpoint.load_averaged(path / 'checkpoints', step)
  except FileNotFoundError as error:
    raise FileNotFoundError(f'the guide: {error}; --keep_every keeps checkpoints') from error
  return {'params': params, 'variables': variables}


def load_state(trained: Trained) -> TrainState:
  """The whole state of the checkpoint that a model was loaded from.

  Raises:
    ValueError: that checkpoint has no whole state any more.
    checkpoint.CheckpointError, FileNotFoundError: as `load`.
  """
  from jaxsynth import checkpoint
  example = np.zeros((1, *trained.image_shape), np.float32)
  like = jax.eval_shape(trained.run.algorithm().init, jax.random.key(0),
                        {trained.kind.name: example, 'label': np.zeros(1, np.int32)})
  with hushed():
    state = checkpoint.load_state(trained.folder / 'checkpoints', like, trained.step)
  kept = averaged_players(state)
  if digest_of(kept['params'], kept['variables']) != trained.digest:
    raise ValueError('the checkpoint whose samples can be drawn has no whole state; name one by '
                     '--step')
  return state


def own_samples(trained: Trained, n: int) -> tuple[np.ndarray, np.ndarray | None]:
  """Samples 0 to `n - 1` as the run itself draws them: those of synthetic.npz go on with these.

  Returns:
    Images uint8 `[n, H, W, C]`, or values of another kind as on disk; and labels int32 `[n]` or
    `None`.

  Raises:
    ValueError: values that are not finite.
  """
  classes = trained.run.num_classes
  draw = synthesis.drawer(trained.run.sample, classes)
  key = keys_of(trained.record['flags']['seed']).samples
  drawn = draw(trained.params, trained.variables, key, 0, n)
  who = f'the samples of {trained.folder.name}'
  if not np.isfinite(drawn).all():
    raise ValueError(f'{who}: values that are not finite')
  values = trained.kind.checked(trained.kind.on_disk(drawn), who)
  labels = None if classes is None else np.asarray(synthesis.labels_for(np.arange(n), classes))
  return values, labels


def best_step(folder: str | os.PathLike) -> int:
  """The step of least distance in scores.jsonl whose checkpoint is kept.

  Raises:
    FileNotFoundError: no checkpoint has a score.
  """
  path = pathlib.Path(folder).expanduser()
  kept = [row for row in scores.read_scores(path)
          if (path / 'checkpoints' / str(row['step'])).is_dir()]
  if not kept:
    raise FileNotFoundError(f'--step=best: {path} has no checkpoint with a score; train with '
                            '--eval_every')
  return min(kept, key=lambda row: row[scores.BEST])['step']


@contextlib.contextmanager
def hushed() -> Iterator[None]:
  """Orbax warns of reading only."""
  verbosity = logging.get_verbosity()
  logging.set_verbosity(logging.ERROR)
  try:
    yield
  finally:
    logging.set_verbosity(verbosity)


def digest_of(params: PerPlayer, variables: PerPlayer) -> str:
  """SHA-256 of a model."""
  from jaxsynth import checkpoint
  leaves = checkpoint.digests({'params': params, 'variables': variables})
  return hashlib.sha256(json.dumps(leaves, sort_keys=True).encode()).hexdigest()
