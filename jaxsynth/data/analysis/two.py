"""All that is said of a set against the reference: leakage and drift."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data.analysis import drift, duplicates, neighbourhood
from jaxsynth.data.analysis.findings import Finding, finding, plural
from jaxsynth.data.analysis.multiple import holm
from jaxsynth.data.analysis.neighbourhood import Neighbourhood
from jaxsynth.data.analysis.one import One
from jaxsynth.data.analysis.scan import sample

LEVEL = 0.01
LARGE = 0.1  # a Kolmogorov-Smirnov statistic that matters, however sure a smaller one is
SHIFT = 0.03  # an energy distance that matters, in units of the class's spread
COMPONENTS = 20
ALL, EACH = 1000, 400  # examples of an energy distance, in all and of a class


class Two(NamedTuple):
  """A set against the reference.

  Attributes:
    name: of the set.
    numbers: what `analysis.json` holds of it.
    shared: `[P, 2]`, equal images: position here, position in the reference.
    near: neighbours in the reference.
    copies: rows of `near` with a near copy there that is no equal one.
    columns: names of the tested marginals.
    marginals: their tests.
    components: two principal coordinates of both sets, for a picture.
    findings: in words.
    skipped: analysis -> why it does not apply.
  """
  name: str
  numbers: dict[str, Any]
  shared: np.ndarray
  near: Neighbourhood
  copies: np.ndarray
  columns: tuple[str, ...]
  marginals: drift.Marginals
  components: tuple[np.ndarray, np.ndarray]
  findings: list[Finding]
  skipped: dict[str, str]


def two(here: One, reference: One, *, pairs: int = 20000, seed: int = 0) -> Two:
  """Compares two analysed sets.

  Raises:
    ValueError: images of different shapes.
  """
  a, b = here.scan, reference.scan
  found: list[Finding] = []
  skipped: dict[str, str] = {}
  near = neighbourhood.between(a, b, most=pairs, seed=seed)
  equal = duplicates.shared(a.digests, b.digests)
  m = reference.numbers.get('dimension', {}).get('levina_bickel', float('nan'))
  flagged = duplicates.near(near, m)
  flagged = flagged[~np.isin(near.queries[flagged], equal[:, 0])]
  numbers: dict[str, Any] = {
      'reference': b.name, 'queries': len(near.queries), 'points': near.points,
      'shared': len(equal), 'shared_positions': equal[:200], 'near': len(flagged),
      'near_positions': near.queries[flagged][:200]}
  if len(equal):
    found.append(finding('leakage', 'bad', a.name, f'{len(equal):,} of {plural(a.size, "image")} '
                         f'also in {b.name}', equal[:, 0]))
  if len(flagged):
    found.append(finding(
        'leakage', 'bad', a.name, f'{len(flagged):,} of {plural(len(near.queries), "image")} '
        f'with a near copy in {b.name}', near.queries[flagged]))

  axes = reference.structure.axes[:, :min(COMPONENTS, b.features.shape[1])]
  ia, ib = (sample(len(s.rows), 5000, seed) for s in (a, b))
  xa, xb = ((s.features[i] - reference.structure.mean) @ axes for s, i in ((a, ia), (b, ib)))
  facts = [np.stack([f[s.rows[i]] for f in s.facts[:4]], 1) for s, i in ((a, ia), (b, ib))]
  columns = ('brightness', 'contrast', 'darkest pixel', 'brightest pixel',
             *(f'component {k + 1}' for k in range(xa.shape[1])))
  tests = drift.marginals(*(np.nan_to_num(np.concatenate([f, x], 1)) for f, x in
                            ((facts[0], xa), (facts[1], xb))))
  moved = np.flatnonzero((tests.p_holm < LEVEL) & (tests.statistic > LARGE))
  numbers['marginals'] = {'columns': columns, **tests._asdict(), 'examples': [len(ia), len(ib)]}
  distance, p = drift.energy(xa[sample(len(xa), ALL, seed)], xb[sample(len(xb), ALL, seed)], seed)
  numbers['energy'] = {'distance': distance, 'p': p}
  if len(moved):
    worst = moved[tests.statistic[moved].argmax()]
    found.append(finding('drift', 'warning', a.name, f'{len(moved)} of {len(columns)} marginals '
                         f'differ from {b.name} (Kolmogorov-Smirnov statistic over {LARGE}, Holm '
                         f'p < {LEVEL}), most {columns[worst]} ({tests.statistic[worst]:.2f})', []))
  elif p < LEVEL:
    found.append(finding('drift', 'note', a.name, f'differs from {b.name} by a little (energy '
                         f'distance, permutation p = {p:.3f}), in no marginal by much', []))
  _classes(here, reference, (ia, xa), (ib, xb), numbers, found, skipped, seed)
  return Two(a.name, numbers, equal, near, flagged, columns, tests,
             (xa[:, :2], xb[:, :2]), found, skipped)


def _classes(here: One, reference: One, ours: tuple[np.ndarray, np.ndarray],
             theirs: tuple[np.ndarray, np.ndarray], numbers: dict[str, Any],
             found: list[Finding], skipped: dict[str, str], seed: int) -> None:
  """Class by class: an energy distance each, corrected by Holm; and the shares of classes."""
  a, b = here.scan, reference.scan
  if a.labels is None or b.labels is None:
    skipped['drift by class'] = f'no labels in {a.name if a.labels is None else b.name}'
    return
  classes = max(a.num_classes or 0, b.num_classes or 0)
  la, lb = a.labels[a.rows[ours[0]]], b.labels[b.rows[theirs[0]]]
  p, distance = np.full(classes, np.nan), np.full(classes, np.nan)
  # as many as Holm needs to be able to reject
  permutations = min(max(drift.PERMUTATIONS, 40 * classes), 9999)
  for k in range(classes):
    x, y = ours[1][la == k][:EACH], theirs[1][lb == k][:EACH]
    if min(len(x), len(y)) >= 10:
      distance[k], p[k] = drift.energy(x, y, seed, permutations)
      distance[k] /= max(float(np.sqrt(y.var(0).sum())), 1e-12)
  tested = np.isfinite(p)
  adjusted = np.full(classes, np.nan)
  adjusted[tested] = holm(p[tested])
  counts = [np.bincount(x, minlength=classes) for x in (a.labels, b.labels)]
  p_shares = drift.proportions(*counts)
  numbers['classes'] = {'energy': distance, 'p': p, 'p_holm': adjusted, 'shares_p': p_shares}
  shifted = np.flatnonzero((adjusted < 0.05) & (distance > SHIFT))
  if len(shifted):
    found.append(finding(
        'class drift', 'warning', a.name, f'{plural(len(shifted), "class")} '
        f'({", ".join(map(str, shifted))}) of {tested.sum()} moved from {b.name} (energy distance '
        f'over {SHIFT} of their spread, Holm p < 0.05)', shifted))
  if p_shares < LEVEL:
    found.append(finding('class shares', 'warning', a.name, 'classes have other shares than in '
                         f'{b.name} (chi-squared p = {p_shares:.2g})', []))
