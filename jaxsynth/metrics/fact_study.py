"""Real returns and processes side by side: numbers, verdicts, and where each stands."""
from collections.abc import Mapping
import functools
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics import fact_numbers, fact_verdicts
from jaxsynth.metrics.fact_numbers import Measured
from jaxsynth.metrics.fact_verdicts import Beside, Verdict

REAL = 'real'


class Subject(NamedTuple):
  """A real series, or a process.

  Attributes:
    returns: log-returns `[N, T]`, of real ones `[1, T]`.
    measured: its numbers.
    verdicts: name of a fact -> whether it is there.
    places: name of a number -> where it is beside the real band; empty without real returns.
  """
  returns: np.ndarray
  measured: Measured
  verdicts: Mapping[str, Verdict]
  places: Mapping[str, Beside]


def compare(processes: Mapping[str, Any], real: Any = None, *, block: int | None = None,
            seed: int = 0) -> dict[str, Subject]:
  """Measures and judges all.

  Args:
    processes: name -> log-returns `[N, T]`.
    real: log-returns `[T]`, if there are any.
    block: as `fact_numbers.of_real`.
    seed: of the resamples, and of the noise that shows what is chance.

  Returns:
    Name -> subject, `real` first.

  Raises:
    ValueError: as `fact_numbers.of_series` and `of_real`.

  >>> rng = np.random.default_rng(0)
  >>> subjects = compare({'noise': rng.normal(size=(9, 500))}, rng.standard_t(3, 2000))
  >>> [x.verdicts['heavy tails'].verdict for x in subjects.values()]
  ['yes', 'no']
  """
  noise = functools.cache(lambda length: fact_numbers.of_noise(length, seed=seed))
  subjects = {}
  of_real = None if real is None else fact_numbers.of_real(real, block=block, seed=seed)
  if of_real is not None:
    whole = np.asarray(real, np.float64)[None]
    subjects[REAL] = Subject(
        whole, of_real, fact_verdicts.judge(of_real, noise(whole.shape[1])), {})
  for name, series in processes.items():
    measured = fact_numbers.of_series(series)
    places = {} if of_real is None else fact_verdicts.beside(measured, of_real)
    subjects[name] = Subject(np.asarray(series), measured,
                             fact_verdicts.judge(measured, noise(np.shape(series)[1])), places)
  return subjects


def lasting(subject: Subject) -> float | None:
  """The share of clustering at lags 1 to 20 that is left at 80 to 100; None without any."""
  if subject.verdicts['wild days cluster'].verdict != 'yes':
    return None
  return subject.measured.values['clustering that lasts']


def to_json(subjects: Mapping[str, Subject]) -> dict[str, Any]:
  """All numbers, as JSON has them."""
  return {'lags': list(fact_numbers.LAGS), 'spans': list(fact_numbers.SPANS),
          'facts': [fact._asdict() for fact in fact_verdicts.FACTS],
          'subjects': {name: _subject(x) for name, x in subjects.items()}}


def _subject(subject: Subject) -> dict[str, Any]:
  measured = subject.measured
  numbers: dict[str, Any] = {}
  for name, value in measured.values.items():
    if name == 'clustering that lasts' and lasting(subject) is None:
      numbers[name] = None  # a quotient of two zeros
      continue
    place = subject.places.get(name)
    numbers[name] = {'value': value, 'band': measured.band(name),
                     **({} if place is None else {'beside_real': place._asdict()})}
  finite = lambda x: float(x) if np.isfinite(x) else None
  facts = {name: {**x._asdict(), 'low': finite(x.low), 'high': finite(x.high)}
           for name, x in subject.verdicts.items()}
  return {'series': len(subject.returns), 'returns': subject.returns.shape[1],
          'numbers': numbers, 'facts': facts,
          'curves': {name: curve.tolist() for name, curve in measured.curves.items()}}
