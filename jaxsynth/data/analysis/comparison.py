"""All that is said of a set against the reference: leakage and drift."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data.analysis import drift, duplicates, neighbourhood
from jaxsynth.data.analysis.findings import Finding, finding, plural
from jaxsynth.data.analysis.multiple import holm
from jaxsynth.data.analysis.neighbourhood import Neighbourhood
from jaxsynth.data.analysis.scan import sample
from jaxsynth.data.analysis.set_analysis import SetAnalysis
from jaxsynth.data.classes import listed, moved, shared

LEVEL = 0.01
LARGE = 0.1  # a Kolmogorov-Smirnov statistic that matters, however sure a smaller one is
SHIFT = 0.03  # an energy distance that matters, in units of the class's spread
COMPONENTS = 20
ALL, EACH = 1000, 400  # examples of an energy distance, in all and of a class


class Comparison(NamedTuple):
  """A set against the reference.

  Attributes:
    name: of the set.
    numbers: what `analysis.json` holds of it.
    shared: `[P, 2]`, equal images: position here, position in the reference.
    near: neighbours in the reference.
    near_copies: rows of `near` with a near copy there that is no equal one.
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
  near_copies: np.ndarray
  columns: tuple[str, ...]
  marginals: drift.Marginals
  components: tuple[np.ndarray, np.ndarray]
  findings: list[Finding]
  skipped: dict[str, str]


class _Projected(NamedTuple):
  """Some examples of a set: rows of its scan, and their principal coordinates."""
  rows: np.ndarray
  coordinates: np.ndarray


def compare(here: SetAnalysis, reference: SetAnalysis, *, pairs: int = 20000, seed: int = 0
            ) -> Comparison:
  """Compares two analysed sets: copies of one in the other, and drift between them.

  Args:
    here: the set.
    reference: what it is held against.
    pairs: how many examples of the set look for their neighbours.
    seed: of samples and permutations.

  Raises:
    ValueError: images of different shapes, or classes that do not fit.
  """
  findings: list[Finding] = []
  skipped: dict[str, str] = {}
  near = neighbourhood.between(here.scan, reference.scan, most=pairs, seed=seed)
  numbers: dict[str, Any] = {
      'reference': reference.scan.name, 'queries': len(near.queries), 'points': near.points}
  shared, near_copies = _leaks(here, reference, near, numbers, findings)
  ours, theirs = (_projected(x, reference, seed) for x in (here, reference))
  columns, tests = _marginals(here, reference, ours, theirs, numbers, findings, seed)
  _classes(here, reference, ours, theirs, numbers, findings, skipped, seed)
  return Comparison(here.scan.name, numbers, shared, near, near_copies, columns, tests,
                    (ours.coordinates[:, :2], theirs.coordinates[:, :2]), findings, skipped)


def _leaks(here: SetAnalysis, reference: SetAnalysis, near: Neighbourhood,
           numbers: dict[str, Any], findings: list[Finding]) -> tuple[np.ndarray, np.ndarray]:
  """Equal images `[P, 2]`, and rows of `near` with a near copy that is no equal one."""
  a, b = here.scan, reference.scan
  shared = duplicates.shared(a.digests, b.digests)
  dimension = reference.numbers.get('dimension', {}).get('levina_bickel', float('nan'))
  rows = duplicates.near(near, dimension)
  rows = rows[~np.isin(near.queries[rows], shared[:, 0])]
  numbers |= {'shared': len(shared), 'shared_positions': shared[:200], 'near': len(rows),
              'near_positions': near.queries[rows][:200]}
  if len(shared):
    findings.append(finding('leakage', 'bad', a.name, f'{len(shared):,} of '
                            f'{plural(a.size, "image")} also in {b.name}', shared[:, 0]))
  if len(rows):
    findings.append(finding(
        'leakage', 'bad', a.name, f'{len(rows):,} of {plural(len(near.queries), "image")} '
        f'with a near copy in {b.name}', near.queries[rows]))
  return shared, rows


def _projected(whole: SetAnalysis, reference: SetAnalysis, seed: int) -> _Projected:
  """At most 5,000 examples on the reference's principal axes."""
  axes = reference.structure.axes[:, :min(COMPONENTS, reference.scan.features.shape[1])]
  rows = sample(len(whole.scan.rows), 5000, seed)
  return _Projected(rows, (whole.scan.features[rows] - reference.structure.mean) @ axes)


def _marginals(here: SetAnalysis, reference: SetAnalysis, ours: _Projected, theirs: _Projected,
               numbers: dict[str, Any], findings: list[Finding], seed: int
               ) -> tuple[tuple[str, ...], drift.Marginals]:
  """Kolmogorov-Smirnov tests of single columns, and an energy distance of all together."""
  a, b = here.scan, reference.scan
  columns = ('brightness', 'contrast', 'darkest pixel', 'brightest pixel',
             *(f'component {k + 1}' for k in range(ours.coordinates.shape[1])))
  values = [np.nan_to_num(np.concatenate([
      np.stack([fact[scan.rows[part.rows]] for fact in scan.facts[:4]], 1), part.coordinates], 1))
      for scan, part in ((a, ours), (b, theirs))]
  tests = drift.marginals(*values)
  moved = np.flatnonzero((tests.p_holm < LEVEL) & (tests.statistic > LARGE))
  numbers['marginals'] = {'columns': columns, **tests._asdict(),
                          'examples': [len(ours.rows), len(theirs.rows)]}
  few = [x.coordinates[sample(len(x.rows), ALL, seed)] for x in (ours, theirs)]
  distance, p = drift.energy(few[0], few[1], seed)
  numbers['energy'] = {'distance': distance, 'p': p}
  if len(moved):
    worst = moved[tests.statistic[moved].argmax()]
    findings.append(finding(
        'drift', 'warning', a.name, f'{len(moved)} of {len(columns)} marginals '
        f'differ from {b.name} (Kolmogorov-Smirnov statistic over {LARGE}, Holm '
        f'p < {LEVEL}), most {columns[worst]} ({tests.statistic[worst]:.2f})', []))
  elif p < LEVEL:
    findings.append(finding(
        'drift', 'note', a.name, f'differs from {b.name} by a little (energy '
        f'distance, permutation p = {p:.3f}), in no marginal by much', []))
  return columns, tests


def _classes(here: SetAnalysis, reference: SetAnalysis, ours: _Projected, theirs: _Projected,
             numbers: dict[str, Any], findings: list[Finding], skipped: dict[str, str], seed: int
             ) -> None:
  """Class by class: an energy distance each, corrected by Holm; and the shares of classes."""
  a, b = here.scan, reference.scan
  if a.labels is None or b.labels is None:
    skipped['drift by class'] = f'no labels in {a.name if a.labels is None else b.name}'
    return
  names = shared([(b.name, b.class_names), (a.name, a.class_names)])
  classes = len(names)
  our, their = moved(a.labels, a.class_names, names), moved(b.labels, b.class_names, names)
  our_labels, their_labels = our[a.rows[ours.rows]], their[b.rows[theirs.rows]]
  p, distance = np.full(classes, np.nan), np.full(classes, np.nan)
  # as many as Holm needs to be able to reject
  permutations = min(max(drift.PERMUTATIONS, 40 * classes), 9999)
  for k in range(classes):
    x = ours.coordinates[our_labels == k][:EACH]
    y = theirs.coordinates[their_labels == k][:EACH]
    if min(len(x), len(y)) >= 10:
      distance[k], p[k] = drift.energy(x, y, seed, permutations)
      distance[k] /= max(float(np.sqrt(y.var(0).sum())), 1e-12)
  tested = np.isfinite(p)
  adjusted = np.full(classes, np.nan)
  adjusted[tested] = holm(p[tested])
  counts = [np.bincount(x, minlength=classes) for x in (our, their)]
  p_shares = drift.proportions(*counts)
  numbers['classes'] = {'names': names, 'energy': distance, 'p': p, 'p_holm': adjusted,
                        'shares_p': p_shares}
  for i, (lacks, has) in enumerate(((a.name, b.name), (b.name, a.name))):
    lacking = [names[k] for k in np.flatnonzero((counts[i] == 0) & (counts[1 - i] > 0))]
    if lacking:
      findings.append(finding('missing classes', 'warning', lacks, f'no examples of '
                              f'{listed(lacking)}, which {has} has', []))
  shifted = np.flatnonzero((adjusted < 0.05) & (distance > SHIFT))
  if len(shifted):
    findings.append(finding(
        'class drift', 'warning', a.name, f'{plural(len(shifted), "class")} '
        f'({listed([names[k] for k in shifted])}) of {tested.sum()} moved from {b.name} (energy '
        f'distance over {SHIFT} of their spread, Holm p < 0.05)', shifted))
  if p_shares < LEVEL:
    findings.append(finding(
        'class shares', 'warning', a.name, 'classes have other shares than in '
        f'{b.name} (chi-squared p = {p_shares:.2g})', []))
