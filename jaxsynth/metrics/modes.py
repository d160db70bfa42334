"""How many modes the fakes reach, and how evenly."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics import checks


class Modes(NamedTuple):
  """What `modes` finds.

  Attributes:
    reached: modes with at least one fake.
    total: modes there are.
    reverse_kl: `KL(fake || real)`, nats. Of `n` fakes drawn evenly from all modes it
      is about `(total - 1) / (2 n)`, not 0.
  """
  reached: int
  total: int
  reverse_kl: float


def stack(labels: Any, num_classes: int = 10) -> np.ndarray:
  """The mode of each stacked image, from its channels' labels: int64 `[N]`.

  Args:
    labels: `[N, C]` in [0, num_classes), as a classifier predicts them; Stacked MNIST
      has three channels and 1,000 modes.
    num_classes: of a channel.

  Raises:
    ValueError: another rank or dtype, or labels out of range.

  >>> stack([[0, 1, 2], [9, 9, 9]])
  array([ 12, 999])
  """
  labels = np.asarray(labels)
  if labels.ndim != 2 or not labels.size:
    raise ValueError(f'labels: shape {list(labels.shape)}, expected [N, C], a label a channel')
  flat = checks.labels('labels', labels.reshape(-1), num_classes)
  powers = num_classes ** np.arange(labels.shape[1])[::-1]
  return flat.reshape(labels.shape) @ powers


def modes(fake: Any, num_modes: int = 1000, *, real: Any = None, shares: Any = None) -> Modes:
  """How many modes the fakes reach, and how far they are from being spread as the reals.

  Args:
    fake: `[N]` in [0, num_modes); `stack` makes them.
    num_modes: how many there are.
    real: the reals' modes `[M]`.
    shares: what is known of the modes instead, `[num_modes]`; without either, all are equally
      likely.

  Raises:
    ValueError: see `checks.labels`; shares of another length or below 0, or reals beside them;
      or a mode with fakes and no real, where the divergence is infinite.

  Metz et al., Unrolled Generative Adversarial Networks, 2017; Lin et al., PacGAN, 2018.

  >>> modes([0, 0, 1, 1], 4)
  Modes(reached=2, total=4, reverse_kl=0.6931471805599453)
  """
  q = np.bincount(checks.labels('fake', fake, num_modes), minlength=num_modes)
  p: np.ndarray
  if shares is not None:
    p = np.asarray(shares, np.float64)
    if real is not None or p.shape != (num_modes,) or not (p >= 0).all() or not p.any():
      raise ValueError(f'shares {list(p.shape)}: expected {num_modes} numbers of at least 0, and '
                       'no reals beside them')
  else:
    p = (np.ones(num_modes) if real is None else
         np.bincount(checks.labels('real', real, num_modes), minlength=num_modes))
  seen = q > 0
  if (p[seen] == 0).any():
    mode = int(np.flatnonzero(seen & (p == 0))[0])
    raise ValueError(f'mode {mode} has {q[mode]} fakes and no real: the reverse KL is '
                     'infinite; give more real samples, or real=None for even modes')
  q_seen, p_seen = q[seen] / q.sum(), p[seen] / p.sum()
  kl = float((q_seen * np.log(q_seen / p_seen)).sum())
  return Modes(int(seen.sum()), num_modes, max(0., kl))
