"""How many of a codebook's codes data use, and how evenly."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics import checks


class Usage(NamedTuple):
  """What `codebook_usage` finds.

  Attributes:
    counts: int64 `[K]`.
    used: share of the codes that occur, in [0, 1].
    perplexity: `exp(-sum p log p)` of the codes' shares p, in [1, K]: as many codes, used alike,
      would have the same entropy (van den Oord et al. 2017, https://arxiv.org/abs/1711.00937).
  """
  counts: np.ndarray
  used: float
  perplexity: float


def codebook_usage(codes: Any, size: int) -> Usage:
  """How the codes of data are spread over a codebook.

  Args:
    codes: integers of any shape, in [0, K).
    size: `K`, at least 1.

  Raises:
    ValueError: see `checks.labels`.

  >>> usage = codebook_usage([[0, 1], [1, 0]], 4)
  >>> usage.counts.tolist(), usage.used, round(usage.perplexity, 6)
  ([2, 2, 0, 0], 0.5, 2.0)
  """
  codes = checks.labels('codes', np.asarray(codes).reshape(-1), size)
  counts = np.bincount(codes, minlength=size)
  share = counts[counts > 0] / len(codes)
  return Usage(counts, float((counts > 0).mean()), float(np.exp(-(share * np.log(share)).sum())))
