"""What the stages have found, in numbers and a sentence each."""
from collections.abc import Mapping
import json
import pathlib
from typing import Any, NamedTuple

from jaxsynth.data.analysis.findings import plural


class Results(NamedTuple):
  """The stages' own files; an empty one where a stage has not ended.

  Attributes:
    collection, prepared, analysis, config, before, after, downstream: collection.json,
      preprocess.json, analysis.json, config.json, scores.json before and after filtering,
      downstream.json.
    losses: lines of metrics.jsonl.
    scored: lines of scores.jsonl.
    sets: stage -> metadata.json of the data set it wrote.
    places: stage -> folder of that data set, below OUT.
  """
  collection: dict[str, Any]
  prepared: dict[str, Any]
  analysis: dict[str, Any]
  config: dict[str, Any]
  before: dict[str, Any]
  after: dict[str, Any]
  downstream: dict[str, Any]
  losses: list[dict[str, Any]]
  scored: list[dict[str, Any]]
  sets: dict[str, dict[str, Any]]
  places: dict[str, str]

  @property
  def dataset(self) -> str:
    """Its name."""
    return self.collection.get('dataset', 'a data set')

  def sentence(self, stage: str) -> str:
    """What came of a stage; nothing where it has not ended."""
    return SENTENCES[stage](self) if stage in SENTENCES and self.has(stage) else ''

  def came_in(self, stage: str) -> str:
    """What went into it, briefly."""
    return {'collect': self.dataset, 'preprocess': 'the images as collected',
            'analyse': 'the images as prepared', 'train': f'{_images(self.trained_on)}',
            'synthesise': 'the averaged generator', 'assess': f'{_images(self.num("synthesise"))}',
            'filter': 'the averaged generator', 'downstream': 'real and synthetic images'}[stage]

  def came_out(self, stage: str) -> str | None:
    """What came out, briefly."""
    return OUT[stage](self) if self.has(stage) else None

  def has(self, stage: str) -> bool:
    """Whether it has left its numbers."""
    return bool({'collect': self.collection, 'preprocess': self.prepared,
                 'analyse': self.analysis, 'train': self.config, 'assess': self.before,
                 'downstream': self.downstream}.get(stage) or self.sets.get(stage))

  @property
  def trained_on(self) -> int:
    """How many images."""
    return self.config.get('data', self.collection.get('sets', {}).get('train', {})).get('size', 0)

  def num(self, stage: str) -> int:
    """Images of the data set that it wrote."""
    return sum(self.sets.get(stage, {}).get('splits', {}).values())

  def failed(self, stage: str) -> list[str]:
    """What --require asks for and is not met."""
    return self.sets.get(stage, {}).get('measured', {}).get('failed', ['see its log'])

  @property
  def kept(self) -> dict[str, Any]:
    """What the filters let pass."""
    return self.sets.get('filter', {}).get('measured', {}).get('kept', {})

  def pseudo(self, stage: str) -> dict[str, Any]:
    """What the pseudo-labels of the data set that it wrote came to."""
    return self.sets.get(stage, {}).get('measured', {}).get('pseudo_labels', {})


def read(out: pathlib.Path, done: Mapping[str, Any]) -> Results:
  """Reads what the stages that have ended left below `out`."""
  def one(stage: str, path: str) -> dict[str, Any]:
    there = stage in done and done[stage]['outputs'] and (out / path).is_file()
    return json.loads((out / path).read_text(encoding='utf-8')) if there else {}
  sets, places = {}, {}
  for stage in ('synthesise', 'filter'):
    for path in done.get(stage, {}).get('outputs', ()):
      if path.endswith('/metadata.json'):
        sets[stage], places[stage] = one(stage, path), path.rpartition('/')[0]
  return Results(
      one('collect', 'collect/collection.json'), one('preprocess', 'preprocess/preprocess.json'),
      one('analyse', 'analyse/analysis.json'), one('train', 'train/config.json'),
      one('assess', 'assess/scores.json'), one('filter', 'filter/scores.json'),
      one('downstream', 'downstream/downstream.json'),
      _lines(out / 'train/metrics.jsonl') if 'train' in done else [],
      _lines(out / 'train/scores.jsonl') if 'train' in done else [], sets, places)


def _lines(path: pathlib.Path) -> list[dict[str, Any]]:
  return [json.loads(x) for x in path.read_text(encoding='utf-8').splitlines()] if (
      path.is_file()) else []


def _images(n: int) -> str:
  return f'{n:,} images'


def _collected(r: Results) -> str:
  train = r.collection['sets']['train']
  n = len(r.collection['names'])
  others = ', '.join(f'{x["size"]:,} for {name}' for name, x in r.collection['sets'].items()
                     if name != 'train')
  return (f'{r.dataset} has {train["size"]:,} images to learn from'
          + (f', of {n} classes' if n else ', without labels')
          + (f' ({others})' if others else '') + '.')


def _analysed(r: Results) -> str:
  level = [f['level'] for f in r.analysis['findings']]
  return (f'Found: {plural(level.count("bad"), "fault")}, '
          f'{plural(level.count("warning"), "warning")}.')


def _trained(r: Results) -> str:
  f = r.config['flags']
  return (f'A DCGAN{" given the label" if f["conditional"] else ""} (widths '
          f'{f["generator_width"]} and {f["discriminator_width"]}) learned for {f["steps"]:,} '
          f'steps of {f["batch_size"]} images.')


def _drawn(r: Results) -> str:
  found, warmth = r.pseudo('synthesise'), r.sets['synthesise'].get('model', {}).get('temperature')
  return f'It drew {r.num("synthesise"):,} images' + (
      f' at temperature {warmth:g}.' if warmth else '.') + (
      f' A classifier of real ones labelled them{_rightly(found)}.' if found else '')


def _rightly(found: Mapping[str, Any]) -> str:
  right, changed = found['accuracy_on_validation'], found['changed']
  told = [] if right is None else [f'it is right for {right:.1%} of held-out ones']
  told += [] if changed is None else [f'{changed:.1%} are not what was asked for']
  return f' ({"; ".join(told)})' if told else ''


def _score(scores: Mapping[str, Any], name: str, form: str = '.3g') -> str:
  value, floor = (scores['scores'][name][x] for x in ('value', 'floor'))
  return f'{value:{form}} (floor {floor:{form}})'


def _assessed(r: Results) -> str:
  s = r.before
  return (f'Their Frechet distance ({s["features"]["name"]}) to real test images is '
          f'{_score(s, "frechet")}, precision {_score(s, "precision", ".2f")}, recall '
          f'{_score(s, "recall", ".2f")}.')


def _filtered(r: Results) -> str:
  if not r.after:
    return ''
  share = f' {r.kept["share"]:.0%} of what was drawn passed;' if r.kept else ''
  worse = (r.before and r.after['scores']['frechet']['value']
           > 1.1 * r.before['scores']['frechet']['value'])
  return (f'Filters ({", ".join(r.sets["filter"]["filters"]["names"])}):{share} the distance is '
          f'then {_score(r.after, "frechet")}, precision {_score(r.after, "precision", ".2f")}, '
          f'recall {_score(r.after, "recall", ".2f")}.'
          + (f' The filters made the distance worse: it was {_score(r.before, "frechet")}.'
             if worse else ''))


def _useful(r: Results) -> str:
  rows = r.downstream['settings']
  real = max((row for row in rows if not row['synthetic']), key=lambda row: row['real'])
  alone = next(row for row in rows if not row['real'])
  told = [row['against_real']['verdict'] for row in rows if row['real'] and row['synthetic']]
  accuracy = lambda row: f'{row["accuracy"]["value"]:.1%}'
  return (f'A classifier of {alone["name"]} images alone is right on {accuracy(alone)} of the real '
          f'test images, one of {real["name"]} ones on {accuracy(real)}; beside real images, '
          f'synthetic ones help in {told.count("helps")} and hurt in {told.count("hurts")} of '
          f'{len(told)} settings.')


SENTENCES = {'collect': _collected, 'analyse': _analysed, 'train': _trained, 'synthesise': _drawn,
             'assess': _assessed, 'filter': _filtered, 'downstream': _useful}
OUT = {
    'collect': lambda r: ', '.join(f'{name} {x["size"]:,}'
                                   for name, x in r.collection['sets'].items()),
    'preprocess': lambda r: 'x'.join(map(str, r.prepared['image_shape'])) + (
        '' if r.prepared['changed'] else ', nothing changed'),
    'analyse': lambda r: _analysed(r)[7:-1],
    'train': lambda r: f'{r.config["flags"]["steps"]:,} steps',
    'synthesise': lambda r: _images(r.num('synthesise')),
    'assess': lambda r: f'Frechet {_score(r.before, "frechet")}',
    'filter': lambda r: _images(r.num('filter')) + (
        f', Frechet {_score(r.after, "frechet")}' if r.after else ''),
    'downstream': lambda r: f'{len(r.downstream["settings"])} settings'}
