"""What the pipeline collects, prepares and tells of."""
import json
import pathlib
import subprocess
import sys

import collected
import numpy as np
from PIL import Image
import pipeline_figures
import pipeline_page
import pipeline_record as records
import pipeline_result
import pytest

from jaxsynth import data, report

ROOT = pathlib.Path(__file__).parent.parent
EVIL = '<script>alert(1)</script>'
CONFIG = {'dataset': 'mnist5k', 'split': 'train', 'data_dir': None, 'image_size': None,
          'channels': None, 'fit': 'crop', 'image_key': 'image', 'label_key': 'label'}


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
                  'steps': 30, 'batch_size': 64, **CONFIG, 'dataset': './nowhere'},
        'data': {'size': 40}},
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
  text = report.render(pipeline_page.page(out))
  assert '<script' not in text and text.count('&lt;script&gt;') > 20
  for what in ('3.25 (floor 0.1)', '2.5', '1 fault, 0 warnings', 'Does not apply', '62.5%',
               'Classifiers that learn', 'help in 1 and hurt in 0 of 1', 'Collect (2 starts)',
               'The code has changed since these ran', 'learned for 30 steps'):
    assert what in text, what
  assert 'href="./assess/a%20%22page%22.html"' in text and 'href="./assess/scores.json"' in text
  with pytest.raises(FileNotFoundError, match='no stage of a pipeline has ended there'):
    pipeline_page.page(out / 'data')


@pytest.mark.parametrize('distance, worse', [(3.5, False), (3.6, True)])
def test_filters_that_make_it_worse_are_told(out, distance, worse):
  (out / 'filter/scores.json').write_text(json.dumps(scores(distance)))
  path = 'data/x/1.0.0/metadata.json'
  (out / path).write_text(json.dumps({'filters': {'names': ['copies']}, 'splits': {'train': 9}}))
  done = {stage: {'outputs': [f'{stage}/scores.json']} for stage in ('assess', 'filter')}
  done['filter']['outputs'].append(path)
  text = pipeline_result.read(out, done).sentence('filter')
  assert text.startswith(f'Filters (copies): the distance is then {distance} (floor 0.1)')
  assert text.endswith('made the distance worse: it was 3.25 (floor 0.1).') == worse


def test_pseudo_labels_and_the_temperature_are_told(out):
  done = {stage: {'outputs': [f'data/{stage}/1.0.0/metadata.json']}
          for stage in ('synthesise', 'filter')}
  done |= {'collect': {'outputs': ['collect/collection.json']}}
  about = {'splits': {'train': 40}, 'labels': [30, 10], 'model': {'temperature': 1.5},
           'filters': {'names': ['copies']}, 'measured': {'pseudo_labels': {
               'accuracy_on_validation': .975, 'changed': .1, 'images': [25, 15]}}}
  for stage in ('synthesise', 'filter'):
    (out / done[stage]['outputs'][0]).parent.mkdir(parents=True)
    (out / done[stage]['outputs'][0]).write_text(json.dumps(about))
  found = pipeline_result.read(out, done)
  assert found.sentence('synthesise') == (
      'It drew 40 images at temperature 1.5. A classifier of real ones labelled them (it is right '
      'for 97.5% of held-out ones; 10.0% are not what was asked for).')
  shares, = pipeline_figures.tables('synthesise', found)
  assert shares.rows == [[EVIL, .625], ['b', .375]]
  assert pipeline_figures.tables('filter', found)[0].rows == [[EVIL, 25], ['b', 15]]
  del about['measured'], about['model']
  (out / done['synthesise']['outputs'][0]).write_text(json.dumps(about))
  assert pipeline_result.read(out, done).sentence('synthesise') == 'It drew 40 images.'


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
  config = {**CONFIG, 'dataset': str(photos / 'photos')}
  role = collected.roles(config, None, str(photos / 'other'))
  assert role == {'train': str(photos / 'photos'), 'validation': None,
                  'test': str(photos / 'other')}
  own = collected.configs(config, role)
  found = {name: collected.fingerprint(collected.raw(c)) for name, c in own.items()}
  assert collected.credit(config) is None
  assert collected.credit(CONFIG).homepage.startswith('https://')
  assert found['train']['shapes'] == {'9x8x3': 2, '10x8x3': 2, '11x8x3': 2}
  assert found['train']['classes'] == [3, 3] and found['test']['size'] == 4
  pixels = np.concatenate([x.image.ravel() for x in collected.examples(collected.raw(config))])
  assert found['train']['mean'] == pytest.approx(pixels.mean())
  assert found['train']['deviation'] == pytest.approx(pixels.std())
  (photos / 'photos').rename(photos / 'moved')
  moved = collected.fingerprint(data.folder(photos / 'moved'))
  assert moved == found['train']
  Image.fromarray(np.zeros((9, 8, 3), np.uint8)).save(photos / 'moved/a/0.png')
  assert collected.fingerprint(data.folder(photos / 'moved'))['sha256'] != moved['sha256']


def test_roles_of_named_splits():
  assert collected.roles(CONFIG, None, None) == {
      'train': 'train', 'validation': 'validation', 'test': 'test'}
  with pytest.raises(ValueError, match='is trained on: name other images'):
    collected.roles(CONFIG, None, 'train')


def test_a_change_of_the_files_is_seen_from_outside(photos):
  before = records.lies(str(photos / 'photos'), None, [None])
  assert records.lies(str(photos / 'photos'), None, []) == before
  (photos / 'photos/a/new.png').write_bytes(b'')
  assert records.lies(str(photos / 'photos'), None, []) != before


def test_preprocessing_is_told_before_and_after(photos):
  command = [sys.executable, 'experiments/preprocess.py', f'--dataset={photos / "photos"}',
             f'--test_split={photos / "other"}', f'--report={photos / "r"}']
  done = subprocess.run([*command, '--image_size=12,12', '--channels=1', '--fit=pad'], cwd=ROOT,
                        text=True, capture_output=True)
  assert done.returncode == 0, done.stderr
  found = json.loads((photos / 'r/preprocess.json').read_text())
  assert found['changed'] and found['image_shape'] == [12, 12, 1]
  assert found['sets']['test']['after']['shapes'] == {'12x12x1': 4}
  assert 'Every image is brought to 12 x 12 x 1' in (photos / 'r/report.html').read_text()
  done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
  assert done.returncode and 'set an image size' in done.stderr + done.stdout
