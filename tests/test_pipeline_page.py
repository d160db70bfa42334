"""What the pipeline collects, prepares and tells of."""
import json
import os

from absl import flags
import numpy as np
from PIL import Image
import preprocess
import pytest
from stages import figures, page, record as records, result

from jaxsynth import data, report
from jaxsynth.data import fingerprint as fingerprints, opening, roles, spec as specs

EVIL = '<script>alert(1)</script>'


def score(value, floor):
  return {'value': value, 'floor': floor, 'standard_error': None, 'protocol': {}}


def scores(value):
  return {'scores': {name: score(value, .1) for name in ('frechet', 'precision', 'recall')},
          'better': {name: 'lower' for name in ('frechet', 'precision', 'recall')},
          'marks': {name: 'bad' for name in ('frechet', 'precision', 'recall')},
          'sets': {'real': {'name': EVIL}}, 'features': {'name': EVIL}}


FILES = {
    'collect/collection.json': {
        'dataset': EVIL, 'names': [EVIL, 'b'], 'credit': dict.fromkeys(
            ('description', 'homepage', 'citation', 'license'), EVIL), 'roles': {}, 'sets': {
            role: {'split': EVIL, 'size': 40, 'shapes': {'28x28x1': 40}, 'classes': [30, 10],
                   'sha256': 'f' * 64} for role in ('train', 'test')}},
    'preprocess/preprocess.json': {
        'image_shape': [28, 28, 1], 'changed': True, 'sets': {'train': {
            when: {'size': 40, 'mean': 1.5, 'deviation': 2.5} for when in ('before', 'after')}}},
    'analyse/analysis.json': {'findings': [{'where': EVIL, 'level': 'bad', 'text': EVIL}]},
    'train/config.json': {
        'flags': {'conditional': True, 'generator_width': 4, 'discriminator_width': 8,
                  'steps': 30, 'batch_size': 64, 'dataset': './nowhere'},
        'data': {'name': EVIL, 'size': 40, 'image_shape': [28, 28, 1], 'num_classes': 2}},
    'assess/scores.json': scores(3.25), 'filter/scores.json': scores(2.5),
    'downstream/downstream.json': {'seeds': [0, 1], 'settings': [
        {'name': '9 synthetic', 'real': 0, 'synthetic': 9, 'accuracy': {'value': .625}},
        {'name': '9 real', 'real': 9, 'synthetic': 0, 'accuracy': {'value': .75}},
        {'name': EVIL, 'real': 9, 'synthetic': 9, 'accuracy': {'value': .875},
         'against_real': {'difference': {'value': .125}, 'verdict': 'helps'}}]}}


@pytest.fixture
def out(tmp_path):
  (tmp_path / 'stages').mkdir()
  for path, content in FILES.items():
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text(json.dumps(content))
  for path in FILES:
    name = path.split('/')[0]
    records.write(tmp_path, name, {
        'status': 'done', 'shown': [f'python a.py --name={EVIL}'], 'seconds': 1.5, 'starts': 2,
        'outputs': {path: {}, f'{name}/a "page".html': {}}, 'code': 'other', 'version': '0.1.0'})
  records.write(tmp_path, 'synthesise', {'status': 'not applicable', 'why': EVIL, 'outputs': {},
                                         'shown': []})
  metadata = tmp_path / 'data/x/1.0.0/metadata.json'
  metadata.parent.mkdir(parents=True)
  with open(tmp_path / 'train/metrics.jsonl', 'w', encoding='utf-8') as f:
    for step in (1, 2):
      row = {'step': step, 'generator/loss': 1., 'discriminator/loss': .5}
      f.write(json.dumps(row) + '\n')
  return tmp_path


def test_the_page_tells_of_every_stage_and_escapes_every_name(out):
  text = report.render(page.page(out))
  assert '<script' not in text and text.count('&lt;script&gt;') > 20
  for what in ('3.25 (floor 0.1)', '2.5', '1 fault, 0 warnings', 'Does not apply', '62.5%',
               'Classifiers that learn', 'help in 1 and hurt in 0 of 1', 'Collect (2 starts)',
               'The code has changed since these ran',
               'A DCGAN given the label (widths 4 and 8) learned for 30 steps of 64 images.'):
    assert what in text, what
  assert 'href="./assess/a%20%22page%22.html"' in text and 'href="./assess/scores.json"' in text
  with pytest.raises(FileNotFoundError, match='no stage of a pipeline has ended there'):
    page.page(out / 'data')


def test_a_run_of_a_program_that_is_gone_is_told_of_too(out):
  config = {**FILES['train/config.json'], 'experiment': 'gone'}
  (out / 'train/config.json').write_text(json.dumps(config))
  results = result.read(out, {'train': {'outputs': ['train/config.json']}})
  assert results.sentence('train') == 'A model learned for 30 steps of 64 images.'
  assert results.sampling == ()


@pytest.mark.parametrize('players, meaning', [
    (('flow',), 'The loss. It does not say'), (('a', 'b', 'c'), 'Losses of the players.')])
def test_every_players_loss_is_drawn(out, monkeypatch, players, meaning):
  drawn = {}
  monkeypatch.setattr(report, 'curve', lambda steps, lines, **_: drawn.update(lines) or b'')
  rows = [{'step': step, **{f'{p}/loss': step + .5 for p in players}, 'a/grad_norm': 9.}
          for step in (1, 2)]
  (out / 'train/metrics.jsonl').write_text('\n'.join(map(json.dumps, rows)))
  figure, = figures.curves(result.read(out, {'train': {'outputs': ['train/config.json']}}))
  assert figure.meaning.startswith(meaning)
  assert {name: line.tolist() for name, line in drawn.items()} == {p: [1.5, 2.5] for p in players}


@pytest.mark.parametrize('distance, worse', [(3.5, False), (3.6, True)])
def test_filters_that_make_it_worse_are_told(out, distance, worse):
  (out / 'filter/scores.json').write_text(json.dumps(scores(distance)))
  path = 'data/x/1.0.0/metadata.json'
  (out / path).write_text(json.dumps({'filters': {'names': ['copies']}, 'splits': {'train': 9}}))
  done = {stage: {'outputs': [f'{stage}/scores.json']} for stage in ('assess', 'filter')}
  done['filter']['outputs'].append(path)
  text = result.read(out, done).sentence('filter')
  assert text.startswith(f'Filters (copies): the distance is then {distance} (floor 0.1)')
  assert text.endswith('made the distance worse: it was 3.25 (floor 0.1).') == worse


def test_pseudo_labels_and_flags_of_sampling_are_told(out):
  done = {stage: {'outputs': [f'data/{stage}/1.0.0/metadata.json']}
          for stage in ('synthesise', 'filter')}
  done |= {stage: {'outputs': list(files)} for stage, files in (
      ('collect', ['collect/collection.json']), ('train', ['train/config.json']))}
  about = {'splits': {'train': 40}, 'labels': [30, 10], 'model': {'temperature': 1.5},
           'filters': {'names': ['copies']}, 'measured': {'pseudo_labels': {
               'accuracy_on_validation': .975, 'changed': .1, 'images': [25, 15]}}}
  for stage in ('synthesise', 'filter'):
    (out / done[stage]['outputs'][0]).parent.mkdir(parents=True)
    (out / done[stage]['outputs'][0]).write_text(json.dumps(about))
  results = result.read(out, done)
  assert results.sentence('synthesise') == (
      'It drew 40 images at temperature 1.5. A classifier of real ones labelled them (it is right '
      'for 97.5% of held-out ones; 10.0% are not what was asked for).')
  shares, = figures.items_of('synthesise', results)
  assert shares.rows == [[EVIL, .625], ['b', .375]]
  assert figures.items_of('filter', results)[0].rows == [[EVIL, 25], ['b', 15]]
  about['class_names'] = ['a', 'c']  # of the model, for which b has no examples
  (out / done['filter']['outputs'][0]).write_text(json.dumps(about))
  named = figures.items_of('filter', result.read(out, done))[0]
  assert named.rows == [['a', 25], ['c', 15]]
  del about['measured'], about['model']
  (out / done['synthesise']['outputs'][0]).write_text(json.dumps(about))
  assert result.read(out, done).sentence('synthesise') == 'It drew 40 images.'


@pytest.mark.parametrize('path', ['/etc/passwd', '../x', 'a/../../x', '', '\\\\host\\x'])
def test_links_stay_below_the_page(path):
  links = report.Links('Read on:', [('a', path)])
  with pytest.raises(ValueError, match='expected a file below the page'):
    report.render(report.Page('a', '', [report.Section('b', '', [links])]))


def test_a_link_is_never_a_script_and_commands_are_text():
  items = [report.Links(EVIL, [(EVIL, 'javascript:alert(1)')]), report.Code(f'a <b> {EVIL}')]
  text = report.render(report.Page('a', '', [report.Section('b', '', items)]))
  assert 'href="./javascript%3Aalert%281%29"' in text
  assert '<script' not in text and 'a &lt;b&gt;' in text


@pytest.fixture
def photos(tmp_path):
  """Two classes of images of three sizes, and a folder of others for tests."""
  rng = np.random.default_rng(0)
  for where, n in (('photos', 6), ('other', 4)):
    for i in range(n):
      file = tmp_path / where / 'ab'[i % 2] / f'{i}.png'
      file.parent.mkdir(parents=True, exist_ok=True)
      Image.fromarray(rng.integers(0, 256, (9 + i % 3, 8, 3), np.uint8)).save(file)
  return tmp_path


def test_what_is_collected_is_there_as_it_lies(photos):
  spec = data.DatasetSpec(str(photos / 'photos'))
  chosen = roles.roles_beside(spec, None, str(photos / 'other'))
  assert chosen == roles.Roles(str(photos / 'photos'), None, str(photos / 'other'))
  sources = {role: opening.open_raw(x) for role, x in roles.specs_of(spec, chosen).items()}
  whole = {role: fingerprints.fingerprint(source) for role, source in sources.items()}
  assert specs.credit(spec) is None
  assert specs.credit(data.DatasetSpec()).homepage.startswith('https://')
  assert whole['train']['shapes'] == {'9x8x3': 2, '10x8x3': 2, '11x8x3': 2}
  assert whole['train']['classes'] == [3, 3] and whole['test']['size'] == 4
  pixels = np.concatenate([x.image.ravel() for x in fingerprints.examples_of(sources['train'])])
  assert whole['train']['mean'] == pytest.approx(pixels.mean())
  assert whole['train']['deviation'] == pytest.approx(pixels.std())
  (photos / 'photos').rename(photos / 'moved')
  moved = fingerprints.fingerprint(data.folder(photos / 'moved'))
  assert moved == whole['train']
  Image.fromarray(np.zeros((9, 8, 3), np.uint8)).save(photos / 'moved/a/0.png')
  assert fingerprints.fingerprint(data.folder(photos / 'moved'))['sha256'] != moved['sha256']


def test_roles_of_named_splits():
  spec = data.DatasetSpec()
  assert roles.roles_beside(spec) == roles.Roles('train', 'validation', 'test')
  with pytest.raises(ValueError, match='is trained on: name other images'):
    roles.roles_beside(spec, test='train')


def test_a_change_of_the_files_is_seen_from_outside(photos):
  digest = lambda *specs_: records.files_digest(specs_)
  here, there = (data.DatasetSpec(str(photos / name)) for name in ('photos', 'moved'))
  before = digest(here)
  assert digest(here) == before != digest(here, data.DatasetSpec(str(photos / 'other')))
  (photos / 'photos').rename(photos / 'moved')
  assert digest(there) == before and digest(here) == digest()  # it is nowhere
  os.utime(photos / 'moved/a/0.png', ns=(1, 1))
  touched = digest(there)
  (photos / 'moved/a/new.png').write_bytes(b'')
  assert len({before, touched, digest(there)}) == 3


def test_preprocessing_is_told_before_and_after(photos, monkeypatch):
  def prepare(*args):
    values = flags.FlagValues()
    preprocess.define_flags(values)
    values(['preprocess.py', f'--dataset={photos / "photos"}', f'--test_split={photos / "other"}',
            f'--report={photos / "r"}', *args])
    monkeypatch.setattr(flags, 'FLAGS', values)
    preprocess.main()
  prepare('--image_size=12,12', '--channels=1', '--fit=pad')
  prepared = json.loads((photos / 'r/preprocess.json').read_text())
  assert prepared['changed'] and prepared['image_shape'] == [12, 12, 1]
  assert prepared['sets']['test']['after']['shapes'] == {'12x12x1': 4}
  assert 'Every image is brought to 12 x 12 x 1' in (photos / 'r/report.html').read_text()
  with pytest.raises(ValueError, match='set an image size'):
    prepare()
