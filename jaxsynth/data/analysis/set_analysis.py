"""All that is said of one set."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data.analysis import dimension, duplicates, neighbourhood, outliers
from jaxsynth.data.analysis.findings import Finding, Level, finding, plural
from jaxsynth.data.analysis.labels import Suspects, suspects
from jaxsynth.data.analysis.neighbourhood import Neighbourhood
from jaxsynth.kinds.pooling import standardised
from jaxsynth.data.analysis.ranges import Ranges, ranges
from jaxsynth.data.analysis.scan import Scan, sample
from jaxsynth.data.analysis.structure import Structure, separation, structure
from jaxsynth.data.image_folder import skipped_text
from jaxsynth.data.classes import are_numbers, listed, numbered

IMBALANCE = 3.  # largest class over smallest


class SetAnalysis(NamedTuple):
  """The analysis of one set.

  Attributes:
    scan: what was read.
    ranges: scales, and images that leave them.
    numbers: what `analysis.json` holds of it.
    structure: of the pooled images.
    near: the neighbourhood that copies, outliers and labels were judged by, or `None`.
    near_copies: rows of `near` with a near copy that is no exact one.
    outliers: positions of outliers, the farthest first.
    suspects: labels that look wrong, or `None`.
    findings: in words.
    skipped: analysis -> why it does not apply.
  """
  scan: Scan
  ranges: Ranges
  numbers: dict[str, Any]
  structure: Structure
  near: Neighbourhood | None
  near_copies: np.ndarray
  outliers: np.ndarray
  suspects: Suspects | None
  findings: list[Finding]
  skipped: dict[str, str]


def analyze_set(scan: Scan, *, pairs: int = 20000, seed: int = 0) -> SetAnalysis:
  """Analyses a scan.

  Args:
    scan: of the set.
    pairs: how many examples look for their neighbours.
    seed: of which.
  """
  findings: list[Finding] = []
  skipped: dict[str, str] = {}
  scales = ranges(scan.facts)
  if scan.kind is not None and scan.kind.settings:  # its range is that of what is learned from
    scales = scales._replace(strange=np.zeros(0, int))
  numbers: dict[str, Any] = {
      'size': scan.size, 'image_shape': scan.image_shape, 'dtype': scan.dtype,
      'scale': scales.scale, 'scale_shares': scales.shares,
      'channels': {name: getattr(scan.values, name) for name in
                   ('mean', 'std', 'skewness', 'kurtosis', 'low', 'high')},
      'constant_pixels': int((scan.pixels.high <= scan.pixels.low).sum()),
      'features': {'kept': len(scan.rows), 'dimensions': scan.features.shape[1]}}
  findings += _pixels(scan, scales)
  if scan.skipped:
    numbers['skipped'] = dict(scan.skipped)
    text = skipped_text(scan.name, scan.skipped).removeprefix(f'{scan.name}: ')
    findings.append(finding('files left out', 'warning', scan.name, text, []))
  _classes(scan, numbers, findings, skipped)
  pixel_structure = structure(scan.features[sample(len(scan.rows), pairs, seed)])
  numbers['components_for'] = pixel_structure.needed
  _exact_copies(scan, numbers, findings)
  near, near_copies, outlying, doubtful = None, np.zeros(0, int), np.zeros(0, int), None
  if len(scan.rows) < 4:
    skipped['neighbours'] = f'{scan.size} examples, at least 4 are needed'
  else:
    near = neighbourhood.within(scan, most=pairs, seed=seed)
    numbers['neighbours'] = {'queries': len(near.queries), 'points': near.points,
                             'k': near.distances.shape[1]}
    numbers['dimension'] = {'two_nn': dimension.two_nn(near.distances),
                            'levina_bickel': dimension.levina_bickel(near.distances)}
    near_copies = _near_copies(scan, near, numbers, findings)
    outlying = _outliers(scan, near, numbers, findings)
    doubtful = _labels(scan, near, numbers, findings, skipped)
  return SetAnalysis(scan, scales, numbers, pixel_structure, near, near_copies, outlying,
                     doubtful, findings, skipped)


def _exact_copies(scan: Scan, numbers: dict[str, Any], findings: list[Finding]) -> None:
  groups = duplicates.exact(scan.digests, scan.labels)
  numbers['copies'] = {'exact': groups.copies, 'groups': len(groups.groups),
                       'conflicting_labels': len(groups.conflicts)}
  if groups.copies:
    findings.append(finding(
        'duplicates', 'warning', scan.name, f'{plural(groups.copies, "image")} beyond the first of '
        f'{plural(len(groups.groups), "group")} of equal images', [g[-1] for g in groups.groups]))
  if groups.conflicts:
    findings.append(finding(
        'conflicting labels', 'bad', scan.name, f'{plural(len(groups.conflicts), "group")} of '
        'equal images with different labels', [i for g in groups.conflicts for i in g]))


def _near_copies(scan: Scan, near: Neighbourhood, numbers: dict[str, Any],
                 findings: list[Finding]) -> np.ndarray:
  rows = duplicates.near(near, numbers['dimension']['levina_bickel'])
  exact = scan.digests[near.queries] == scan.digests[near.neighbours[:, 0]]
  rows = rows[~exact[rows]]
  numbers['copies']['near'] = len(rows)
  if len(rows):
    findings.append(finding(
        'near duplicates', 'warning', scan.name, f'{len(rows):,} of '
        f'{plural(len(near.queries), "image")} with a near copy', near.queries[rows]))
  return rows


def _outliers(scan: Scan, near: Neighbourhood, numbers: dict[str, Any], findings: list[Finding]
              ) -> np.ndarray:
  positions, z = outliers.far(near)
  numbers['outliers'] = {'count': len(positions), 'z': z[:50], 'threshold': outliers.FAR}
  if len(positions):
    findings.append(finding(
        'outliers', 'note', scan.name, f'{len(positions):,} of '
        f'{plural(len(near.queries), "image")} far from all others (log distance to the tenth '
        f'neighbour over {outliers.FAR:g} robust deviations)', positions))
  return positions


def _pixels(scan: Scan, scales: Ranges) -> list[Finding]:
  findings = []
  faults: tuple[tuple[str, Level, np.ndarray, str], ...] = (
      ('not finite', 'bad', scales.bad, 'with NaN or infinite pixels'),
      ('wrong range', 'bad', scales.strange, f'not on the scale of the rest, {scales.scale}'),
      ('constant images', 'warning', scales.constant, 'of one value'))
  for kind, level, positions, text in faults:
    if len(positions):
      findings.append(finding(kind, level, scan.name,
                              f'{plural(len(positions), "image")} {text}', positions))
  if scan.dtype == 'uint8' and scales.scale == '[0, 1]':
    findings.append(finding('wrong range', 'bad', scan.name, 'bytes, but only 0 and 1 occur: '
                            'scaled to [0, 1] before rounding?', range(scan.size)))
  for name, what in (('mean', 'brightness'), ('std', 'contrast')):
    positions, z = outliers.unlike(getattr(scan.facts, name))
    if len(positions):
      findings.append(finding(
          f'unusual {what}', 'note', scan.name, f'{plural(len(positions), "image")} of unusual '
          f'{what}, up to {abs(z[0]):.1f} robust deviations off', positions))
  return findings


def _classes(scan: Scan, numbers: dict[str, Any], findings: list[Finding],
             skipped: dict[str, str]) -> None:
  if scan.labels is None or scan.num_classes is None:
    skipped['classes'] = skipped['labels'] = 'no labels'
    return
  counts = np.bincount(scan.labels, minlength=scan.num_classes)
  present = counts[counts > 0]
  share = present / counts.sum()
  entropy = float(-(share * np.log(share)).sum() / np.log(len(counts))) if len(counts) > 1 else 1.
  imbalance = float(present.max() / present.min())
  numbers['classes'] = {
      'names': scan.class_names, 'counts': counts, 'entropy': entropy, 'imbalance': imbalance,
      'mean': [float(m.mean.mean()) for m in scan.classes],
      'std': [float(np.sqrt(m.variance.mean())) for m in scan.classes],
      'separation': separation(standardised(scan.features), scan.labels[scan.rows])}
  if not counts.all():
    empty = [scan.class_names[k] for k in np.flatnonzero(counts == 0)]
    findings.append(finding('empty classes', 'warning', scan.name, f'{len(empty)} of {len(counts)} '
                            f'classes have no examples: {listed(empty)}', []))
  if are_numbers(scan.class_names) and tuple(
      str(int(name)) for name in scan.class_names) != numbered(len(counts)):
    values = listed(scan.class_names)
    findings.append(finding('label values', 'note', scan.name, f'labels are {values}, not the '
                            'numbers from 0: each that occurs is a class of this name', []))
  if imbalance >= IMBALANCE:
    findings.append(finding('imbalance', 'warning', scan.name, 'the largest class is '
                            f'{imbalance:.1f} times the smallest', []))


def _labels(scan: Scan, near: Neighbourhood, numbers: dict[str, Any], findings: list[Finding],
            skipped: dict[str, str]) -> Suspects | None:
  if scan.labels is None or scan.num_classes is None:
    return None
  try:
    doubtful = suspects(near, scan.labels, scan.num_classes)
  except ValueError as error:
    skipped['labels'] = str(error)
    return None
  n, share = len(doubtful.positions), len(doubtful.positions) / doubtful.looked
  numbers['labels'] = {'looked': doubtful.looked, 'suspects': n, 'share': share,
                       'neighbours_accuracy': doubtful.accuracy, 'joint': doubtful.joint,
                       'positions': doubtful.positions[:200], 'likely': doubtful.likely[:200]}
  if n:
    findings.append(finding(
        'suspicious labels', 'warning' if share > 0.01 else 'note', scan.name,
        f'{n:,} of {doubtful.looked:,} labels ({share:.1%}) contradicted by their neighbours',
        doubtful.positions))
  return doubtful
