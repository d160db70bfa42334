"""The whole analysis: a reference set, and other sets against it."""
from collections.abc import Mapping
from typing import Any, NamedTuple

from jaxsynth.data.analysis.advice import advice
from jaxsynth.data.analysis.comparison import compare, Comparison
from jaxsynth.data.analysis.findings import Advice, Finding, plain
from jaxsynth.data.analysis.scan import scan
from jaxsynth.data.analysis.set_analysis import analyze_set, SetAnalysis
from jaxsynth.data.batches import Source
from jaxsynth.data.classes import names_of, shared

LEVELS = ('bad', 'warning', 'note')


class Analysis(NamedTuple):
  """What is known of some sets.

  Attributes:
    sets: of each, the reference first.
    against: of each other set, against the reference.
    findings: all, the worst first.
    advice: what to do before training on the reference.
  """
  sets: tuple[SetAnalysis, ...]
  against: tuple[Comparison, ...]
  findings: tuple[Finding, ...]
  advice: tuple[Advice, ...]


def analyze(sources: Mapping[str, Source], *, pairs: int = 20000, block: int = 1024,
            max_bytes: int = 2**30, seed: int = 0) -> Analysis:
  """Scans every set once, then looks for faults in each and between them.

  Args:
    sources: name -> set, the reference (what is trained on) first; pixels of any real
      dtype.
    pairs: examples of a set that look for their neighbours; all whose features are
      kept can be found.
    block: examples in memory at a time.
    max_bytes: of the features of a set; of a larger set a seeded sample's are kept.
    seed: of samples and permutations.

  Returns:
    The analysis; a function of data and arguments alone.

  Raises:
    ValueError: no sets, an empty one, images of different shapes, classes that do not
      fit those of the reference, or `pairs` or `block` out of range.

  >>> import numpy as np
  >>> from jaxsynth.data import ArraySource
  >>> images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
  >>> analysis = analyze({'train': ArraySource.of(images), 'test': ArraySource.of(images[:3])})
  >>> analysis.findings[0].text
  '3 of 3 images also in train'
  """
  if not sources or pairs < 4 or block < 1:
    raise ValueError(f'{len(sources)} sets, pairs={pairs}, block={block}: expected at least '
                     '1 set, 4 pairs and blocks of 1')
  shapes = {name: tuple(source.image_shape) for name, source in sources.items()}
  if len(set(shapes.values())) > 1:
    raise ValueError(f'images of different shapes: {shapes}; set an image size and channels')
  reference, *others = ((name, names_of(x)) for name, x in sources.items())
  for other in others if reference[1] else ():
    if other[1]:
      shared([reference, other])  # before the work
  sets = tuple(analyze_set(scan(source, name=name, block=block, max_bytes=max_bytes, seed=seed),
               pairs=pairs, seed=seed) for name, source in sources.items())
  against = tuple(compare(x, sets[0], pairs=pairs, seed=seed) for x in sets[1:])
  every = [f for x in against for f in x.findings] + [f for x in sets for f in x.findings]
  findings = sorted(every, key=lambda f: LEVELS.index(f.level))
  return Analysis(sets, against, tuple(findings), tuple(advice(sets[0], against)))


def to_json(analysis: Analysis) -> dict[str, Any]:
  """What `analysis.json` holds: every number, no pictures."""
  return plain({
      'findings': analysis.findings, 'advice': analysis.advice,
      'sets': {x.scan.name: {**x.numbers, 'not_applicable': x.skipped} for x in analysis.sets},
      'against': {x.name: {**x.numbers, 'not_applicable': x.skipped} for x in analysis.against}})
