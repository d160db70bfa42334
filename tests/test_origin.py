"""A synthetic data set does not stand in for a real one, by its name or by its place."""
import json

from absl import flags
import evaluate as evaluate_program
import downstream as downstream_program
import numpy as np
from PIL import Image
import prepared
import programs
import pytest
import tiny

from common import experiments, quality_flags
from jaxsynth import data, evaluation, quality
from jaxsynth.data import origin
from jaxsynth.data.examples import read_real_split
from jaxsynth.data.roles import roles
from jaxsynth.quality import claiming
from stages import options as pipeline_options

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 4), np.uint8)


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
  """The same images as a tfds data set and as a folder."""
  root = tmp_path_factory.mktemp('drawn')
  run = tiny.workdir(root / 'run', '--conditional')
  for out, form in (('tfds', 'array_record'), ('folder', 'folder')):
    assert tiny.synthesized(run, root / out, '--num=120', f'--format={form}') == 0
  return root


def test_what_is_drawn_here_says_so_and_is_no_real_set(drawn, tmp_path):
  prepared_at = str(drawn / 'tfds/synthetic/1.0.0')
  specs = [data.DatasetSpec('synthetic', data_dir=str(drawn / 'tfds')),
           data.DatasetSpec(prepared_at), data.DatasetSpec(str(drawn / 'folder/train'))]
  for spec in specs:
    assert origin.is_synthetic(spec), spec
    with pytest.raises(ValueError, match='drawn from a model by jaxsynth, and no real one.*'
                       '--synthetic_as_real'):
      read_real_split(spec, None)
  assert len(read_real_split(specs[2], None, synthetic_as_real=True).images) == 120
  # as versions before the mark wrote it
  about = json.loads((drawn / 'tfds/synthetic/1.0.0/metadata.json').read_text())
  assert about.pop('synthetic') is True and not origin.made_here(tmp_path)
  (tmp_path / 'metadata.json').write_text(json.dumps(about))
  assert origin.made_here(tmp_path)
  (tmp_path / 'metadata.json').write_text('{"model": "T1", "splits": 3}')  # a camera's
  assert not origin.made_here(tmp_path)


def test_arrays_that_a_run_drew_are_known(tmp_path):
  images = np.zeros((3, 4, 4, 1), np.uint8)
  mine, marked = tmp_path / 'synthetic.npz', tmp_path / 'marked.npz'
  np.savez(mine, images=images)
  np.savez(marked, images=images, synthetic=True)
  is_synthetic = lambda path: origin.is_synthetic(data.DatasetSpec(str(path)))
  assert is_synthetic(marked) and not is_synthetic(mine)  # who calls a file so, may
  (tmp_path / 'config.json').write_text('{"flags": {}, "data": {}}')
  assert is_synthetic(mine)


def test_programs_take_it_for_a_real_set_only_where_told(drawn, tmp_path):
  folder = str(drawn / 'folder/train')
  for program, given in ((evaluate_program, [f'--real={folder}']),
                         (evaluate_program, ['--real=mnist5k', f'--validation_split={folder}']),
                         (downstream_program, ['--real=mnist5k', f'--train_split={folder}'])):
    said = programs.refused(program, *given, f'--synthetic={folder}', f'--report={tmp_path}',
                            '--num=100')
    assert f'{folder}: a synthetic data set' in said
  spec = data.DatasetSpec('mnist5k')
  comparison = evaluation.read_comparison(
      evaluation.read_synthetic(folder), spec, roles(spec, validation=folder),
      synthetic_as_real=True)
  assert len(comparison.held_out.images) == 120
  values = flags.FlagValues()
  pipeline_options.define(values)
  values(['pipeline', f'--out={tmp_path}', f'--dataset={folder}'])
  with pytest.raises(ValueError, match='a synthetic data set'):
    pipeline_options.given(values)


def test_names_of_real_sets_are_refused_before_anything_is_drawn(tmp_path, drawn):
  for name, whose in (('mnist', 'tensorflow-datasets'), ('mnist5k', 'jaxsynth'),
                      ('sp500', 'jaxsynth'), ('penguins', 'jaxsynth')):
    with pytest.raises(flags.ValidationError, match=f'{whose} has a data set of this name'):
      quality_flags.is_free_name(name)
    with pytest.raises(ValueError, match=f'give another name, as {name}_synthetic'):
      quality.check_name(name)
  assert quality_flags.is_free_name('digits') and not quality_flags.is_free_name('MNIST-2')
  with pytest.raises((flags.Error, ValueError), match='has a data set of this name'):
    tiny.synthesized(drawn / 'run', tmp_path, '--num=40', '--name=mnist', '--version=4.0.0')
  model = experiments.load(drawn / 'run')
  order = quality.Order.of(model, tmp_path, {'train': 40}, name='mnist')
  with pytest.raises(ValueError, match='has a data set of this name'):
    quality.begin(order, model)
  assert not list(tmp_path.iterdir())


def test_a_name_that_the_folder_holds_from_elsewhere_is_refused(tmp_path, drawn):
  prepared.write(tmp_path, {'image': prepared.KINDS.Image(shape=(4, 4, 1))},
                 [{'image': prepared.png(x)} for x in IMAGES])
  before = tiny.contents(tmp_path)
  with pytest.raises(ValueError, match='birds/1.0.0 holds a data set of this name that jaxsynth '
                     'has not drawn'):
    tiny.synthesized(drawn / 'run', tmp_path, '--num=40', '--name=birds', '--version=2.0.0')
  assert tiny.contents(tmp_path) == before
  claiming.check_place(drawn / 'tfds/synthetic')  # another version of ours may lie there


def test_a_folder_of_photographs_beside_any_metadata_is_real(tmp_path):
  (tmp_path / 'metadata.json').write_text('[1]')
  (tmp_path / 'birds').mkdir()
  Image.fromarray(IMAGES[0]).save(tmp_path / 'birds/a.png')
  assert not origin.is_synthetic(data.DatasetSpec(str(tmp_path / 'birds')))
