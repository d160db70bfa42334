"""How a run is trained, whatever it trains."""
from collections.abc import Mapping
from typing import Any, NamedTuple

from jaxsynth.parallel import How
from jaxsynth.runs.collapse import Action


class Settings(NamedTuple):
  """What every family shares; the names are those of the flags and of `config.json`.

  Attributes:
    seed: of everything random.
    steps: of the whole run.
    batch_size: examples a step, all devices together.
    accumulate: parts that a step takes its batch in.
    parallel: how steps compile.
    devices: how many.
    steps_per_call: steps fused into one compiled call; all intervals are multiples of it.
    log_every: steps between lines of metrics.jsonl.
    sample_every: steps between grids of samples; 0 for one at the end.
    checkpoint_every: steps between checkpoints.
    keep_every: steps between checkpoints that stay; 0 for none but the newest.
    eval_every: steps between lines of scores.jsonl; 0 for none.
    eval_samples: samples that are scored.
    eval_split: real images that they are scored against; `None` for the validation split.
    tensorboard: whether event files are written.
    num_synthetic: images of synthetic.npz; 0 for none.
    on_collapse: what is done when a signal of the run is out of range, see `collapse`.
  """
  seed: int = 0
  steps: int = 3000
  batch_size: int = 64
  accumulate: int = 1
  parallel: How = 'jit'
  devices: int = 1
  steps_per_call: int = 1
  log_every: int = 10
  sample_every: int = 200
  checkpoint_every: int = 500
  keep_every: int = 0
  eval_every: int = 0
  eval_samples: int = 2000
  eval_split: str | None = None
  tensorboard: bool = True
  num_synthetic: int = 1000
  on_collapse: Action = 'warn'

  @classmethod
  def of(cls, values: Mapping[str, Any]) -> 'Settings':
    """The settings in a run's flags: other names are passed over.

    >>> Settings.of({'steps': 9, 'latent_dim': 100}).steps
    9
    """
    return cls(**{name: values[name] for name in cls._fields if name in values})
