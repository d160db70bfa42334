"""All that is said of one set."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data.analysis import dimension, duplicates, neighbourhood, outliers
from jaxsynth.data.analysis.findings import Finding, Level, finding, plural
from jaxsynth.data.analysis.labels import Suspects, suspects
from jaxsynth.data.analysis.neighbourhood import Neighbourhood
from jaxsynth.data.analysis.pooling import standardised
from jaxsynth.data.analysis.ranges import Ranges, ranges
from jaxsynth.data.analysis.scan import Scan, sample
from jaxsynth.data.analysis.structure import Structure, separation, structure

IMBALANCE = 3.  # largest class over smallest


class One(NamedTuple):
  """The analysis of one set.

  Attributes:
    scan: what was read.
    ranges: scales, and images that leave them.
    numbers: what `analysis.json` holds of it.
    structure: of the pooled images.
    near: the neighbourhood that copies, outliers and labels were judged by.
    copies: rows of `near` with a near copy that is no exact one.
    far: positions of outliers.
    suspects: labels that look wrong, or `None`.
    findings: in words.
    skipped: analysis -> why it does not apply.
  """
  scan: Scan
  ranges: Ranges
  numbers: dict[str, Any]
  structure: Structure
  near: Neighbourhood | None
  copies: np.ndarray
  far: np.ndarray
  suspects: Suspects | None
  findings: list[Finding]
  skipped: dict[str, str]


def one(scan: Scan, *, pairs: int = 20000, seed: int = 0) -> One:
  """Analyses a scan; `pairs` is how many examples look for their neighbours."""
  found: list[Finding] = []
  skipped: dict[str, str] = {}
  scales = ranges(scan.facts)
  numbers: dict[str, Any] = {
      'size': scan.size, 'image_shape': scan.image_shape, 'dtype': scan.dtype,
      'scale': scales.scale, 'scale_shares': scales.shares,
      'channels': {name: getattr(scan.values, name) for name in
                   ('mean', 'std', 'skewness', 'kurtosis', 'low', 'high')},
      'constant_pixels': int((scan.pixels.high <= scan.pixels.low).sum()),
      'features': {'kept': len(scan.rows), 'dimensions': scan.features.shape[1]}}
  found += _pixels(scan, scales)
  _classes(scan, numbers, found, skipped)
  bound = structure(scan.features[sample(len(scan.rows), pairs, seed)])
  numbers['components_for'] = bound.needed

  groups = duplicates.exact(scan.digests, scan.labels)
  numbers['copies'] = {'exact': groups.copies, 'groups': len(groups.groups),
                       'conflicting_labels': len(groups.conflicts)}
  if groups.copies:
    found.append(finding(
        'duplicates', 'warning', scan.name, f'{plural(groups.copies, "image")} beyond the first of '
        f'{plural(len(groups.groups), "group")} of equal images', [g[-1] for g in groups.groups]))
  if groups.conflicts:
    found.append(finding(
        'conflicting labels', 'bad', scan.name, f'{plural(len(groups.conflicts), "group")} of '
        'equal images with different labels', [i for g in groups.conflicts for i in g]))
  near, flagged, away, doubt = None, np.zeros(0, int), np.zeros(0, int), None
  if len(scan.rows) < 4:
    skipped['neighbours'] = f'{scan.size} examples, at least 4 are needed'
  else:
    near = neighbourhood.within(scan, most=pairs, seed=seed)
    numbers['neighbours'] = {'queries': len(near.queries), 'points': near.points,
                             'k': near.distances.shape[1]}
    d = numbers['dimension'] = {'two_nn': dimension.two_nn(near.distances),
                                'levina_bickel': dimension.levina_bickel(near.distances)}
    flagged = duplicates.near(near, d['levina_bickel'])
    same = scan.digests[near.queries] == scan.digests[near.neighbours[:, 0]]
    flagged = flagged[~same[flagged]]
    numbers['copies']['near'] = len(flagged)
    if len(flagged):
      found.append(finding('near duplicates', 'warning', scan.name, f'{len(flagged):,} of '
                           f'{plural(len(near.queries), "image")} with a near copy',
                           near.queries[flagged]))
    away, z = outliers.far(near)
    numbers['outliers'] = {'count': len(away), 'z': z[:50], 'threshold': outliers.FAR}
    if len(away):
      found.append(finding(
          'outliers', 'note', scan.name, f'{len(away):,} of '
          f'{plural(len(near.queries), "image")} far from all others (log distance to the tenth '
          f'neighbour over {outliers.FAR:g} robust deviations)', away))
    doubt = _labels(scan, near, numbers, found, skipped)
  return One(scan, scales, numbers, bound, near, flagged, away, doubt, found, skipped)


def _pixels(scan: Scan, scales: Ranges) -> list[Finding]:
  found = []
  faults: tuple[tuple[str, Level, np.ndarray, str], ...] = (
      ('not finite', 'bad', scales.bad, 'with NaN or infinite pixels'),
      ('wrong range', 'bad', scales.strange, f'not on the scale of the rest, {scales.scale}'),
      ('constant images', 'warning', scales.constant, 'of one value'))
  for kind, level, positions, text in faults:
    if len(positions):
      found.append(finding(kind, level, scan.name, f'{plural(len(positions), "image")} {text}',
                           positions))
  if scan.dtype == 'uint8' and scales.scale == '[0, 1]':
    found.append(finding('wrong range', 'bad', scan.name, 'bytes, but only 0 and 1 occur: '
                         'scaled to [0, 1] before rounding?', range(scan.size)))
  for name in ('mean', 'std'):
    at, z = outliers.unlike(getattr(scan.facts, name))
    if len(at):
      what = 'brightness' if name == 'mean' else 'contrast'
      found.append(finding(
          f'unusual {what}', 'note', scan.name, f'{plural(len(at), "image")} of unusual {what}, '
          f'up to {abs(z[0]):.1f} robust deviations off', at))
  return found


def _classes(scan: Scan, numbers: dict[str, Any], found: list[Finding],
             skipped: dict[str, str]) -> None:
  if scan.labels is None or scan.num_classes is None:
    skipped['classes'] = skipped['labels'] = 'no labels'
    return
  counts = np.bincount(scan.labels, minlength=scan.num_classes)
  share = counts[counts > 0] / counts.sum()
  entropy = float(-(share * np.log(share)).sum() / np.log(len(counts))) if len(counts) > 1 else 1.
  there = counts[counts > 0]
  x = scan.labels[scan.rows]
  numbers['classes'] = {
      'counts': counts, 'entropy': entropy, 'imbalance': float(there.max() / there.min()),
      'mean': [float(m.mean.mean()) for m in scan.classes],
      'std': [float(np.sqrt(m.variance.mean())) for m in scan.classes],
      'separation': separation(standardised(scan.features), x)}
  if not counts.all():
    found.append(finding('empty classes', 'warning', scan.name, f'{(counts == 0).sum()} of '
                         f'{len(counts)} classes have no examples', []))
  if there.max() / there.min() >= IMBALANCE:
    found.append(finding('imbalance', 'warning', scan.name, 'the largest class is '
                         f'{there.max() / there.min():.1f} times the smallest', []))


def _labels(scan: Scan, near: Neighbourhood, numbers: dict[str, Any], found: list[Finding],
            skipped: dict[str, str]) -> Suspects | None:
  if scan.labels is None or scan.num_classes is None:
    return None
  try:
    doubt = suspects(near, scan.labels, scan.num_classes)
  except ValueError as error:
    skipped['labels'] = str(error)
    return None
  n, share = len(doubt.positions), len(doubt.positions) / doubt.looked
  numbers['labels'] = {'looked': doubt.looked, 'suspects': n, 'share': share,
                       'neighbours_accuracy': doubt.accuracy, 'joint': doubt.joint,
                       'positions': doubt.positions[:200], 'likely': doubt.likely[:200]}
  if n:
    found.append(finding('suspicious labels', 'warning' if share > 0.01 else 'note', scan.name,
                         f'{n:,} of {doubt.looked:,} labels ({share:.1%}) contradicted by '
                         'their neighbours', doubt.positions))
  return doubt
