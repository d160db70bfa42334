"""Image folders: their classes, what is read of them, what is left out, what is refused."""
import logging

import numpy as np
from PIL import features, Image
import pytest

from jaxsynth import data
from jaxsynth.data import analysis, image_folder

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 6, 5, 3), np.uint8)


def save(path, image, **kwargs):
  path.parent.mkdir(parents=True, exist_ok=True)
  Image.fromarray(image).save(path, **kwargs)


def class_folder(root):
  """b: images 0, 1; a: 2, 3, 4, so labels are 1, 1, 0, 0, 0 and the order 2 3 4 0 1."""
  for i, name in enumerate(('b/1.png', 'b/2.PNG', 'a/0.png', 'a/1.bmp', 'a/2.Tiff')):
    save(root / name, IMAGES[i])
  (root / 'a/notes.txt').write_text('not an image')
  save(root / '.cache/thumb.png', IMAGES[0])
  return root


def test_a_folder_of_class_folders(tmp_path):
  source = data.folder(class_folder(tmp_path / 'birds'))
  assert (source.name, source.size, source.image_shape, source.num_classes) == (
      'birds', 5, (6, 5, 3), 2)
  batch = source.take(np.arange(5))
  np.testing.assert_array_equal(batch['image'], IMAGES[[2, 3, 4, 0, 1]])
  assert batch['label'].tolist() == [0, 0, 0, 1, 1] and batch['label'].dtype == np.int32


def test_a_flat_folder_has_no_labels(tmp_path):
  for i in range(3):
    save(tmp_path / f'{2 - i}.png', IMAGES[i])
  (tmp_path / 'notes').mkdir()
  source = data.folder(tmp_path, data.Preprocess((4, 4), 1), name='mine')
  assert (source.name, source.num_classes, source.image_shape) == ('mine', None, (4, 4, 1))
  batch = source.take(np.array([2, 0]))
  assert list(batch) == ['image']
  np.testing.assert_array_equal(batch['image'][0], data.preprocess_image(
      IMAGES[0], data.Preprocess((4, 4), 1)))


@pytest.mark.parametrize('suffix, form', [
    ('.jfif', 'JPEG'), ('.jpe', 'JPEG'), ('.PPM', 'PPM'), ('.pgm', 'PPM'), ('.avif', 'AVIF')])
def test_suffixes_that_are_read(tmp_path, suffix, form):
  if form == 'AVIF' and form.lower() not in features.get_supported_modules():
    assert suffix not in image_folder.suffixes()
    pytest.skip('this Pillow reads no AVIF')
  image = IMAGES[0, ..., 0] if suffix == '.pgm' else IMAGES[0]
  (tmp_path / 'a').mkdir()
  Image.fromarray(image).save(tmp_path / f'a/1{suffix}', form)
  save(tmp_path / 'b/1.png', image)
  source = data.folder(tmp_path)
  assert source.size == 2 and source.image_shape[:2] == (6, 5) and source.skipped == ()
  assert np.abs(source.take(np.arange(2))['image'].astype(int)[0].mean() - image.mean()) < 30


def test_files_that_are_left_out_are_counted_and_said(tmp_path, monkeypatch):
  lines = []
  monkeypatch.setattr(logging.getLogger('absl'), 'handle', lambda x: lines.append(x.getMessage()))
  class_folder(tmp_path)
  for i in range(38):
    (tmp_path / f'b/{i}.HEIC').write_bytes(b'x')
  (tmp_path / 'README').write_text('of birds')
  want = (('.heic', 38), ('.txt', 1), ('no suffix', 1))
  source = data.in_memory(data.folder(tmp_path))
  assert source.size == 5 and source.skipped == want
  assert lines == [f'{tmp_path}: 40 files are left out, as they are no images that can '
                   'be read: 38 .heic, 1 .txt, 1 no suffix']
  result = analysis.analyze({'train': source})
  assert result.sets[0].numbers['skipped'] == dict(want)
  finding = next(f for f in result.findings if f.kind == 'files left out')
  assert finding.text.startswith('40 files are left out') and finding.level == 'warning'
  (tmp_path / 'c').mkdir()
  (tmp_path / 'c/1.heic').write_bytes(b'x')
  with pytest.raises(ValueError, match='c: a class folder without images.*There: 1 file is left '
                     'out, .*: 1 .heic'):
    data.folder(tmp_path)


def mixed(root):
  save(class_folder(root) / 'loose.png', IMAGES[0])


def deep(root):
  save(class_folder(root) / 'a/more/1.png', IMAGES[0])


@pytest.mark.parametrize('make, error, message', [
    (lambda root: None, FileNotFoundError, 'sub: no such folder'),
    (lambda root: root.mkdir(), ValueError, 'sub: no images; expected files .png, .jpg'),
    (mixed, ValueError, r'images \(loose.png\) beside class folders'),
    (deep, ValueError, 'two folders down, in .*more'),
    (lambda root: (class_folder(root) / 'c').mkdir(), ValueError,
     'c: a class folder without images')])
def test_folders_that_are_refused(tmp_path, make, error, message):
  make(tmp_path / 'sub')
  with pytest.raises(error, match=message):
    data.folder(tmp_path / 'sub')


@pytest.mark.parametrize('content', [b'', b'not a png', 'cut'])
def test_a_corrupt_file_is_named(tmp_path, content):
  class_folder(tmp_path)
  bad = tmp_path / 'b/1.png'
  bad.write_bytes(bad.read_bytes()[:-40] if content == 'cut' else content)
  source = data.folder(tmp_path)  # the first is sound
  for take in (lambda: source.take(np.arange(5)), lambda: data.in_memory(source)):
    with pytest.raises(ValueError, match='1.png cannot be decoded .*remove or replace it'):
      take()


def test_images_that_differ_are_named_and_a_size_mends_it(tmp_path):
  save(tmp_path / '1.png', IMAGES[0])
  save(tmp_path / '2.png', IMAGES[0, :4])
  with pytest.raises(ValueError, match=r'2.png is \[4, 5, 3\], .*1.png is \[6, 5, 3\].*'
                     'set an image size and channels'):
    data.in_memory(data.folder(tmp_path))
  assert data.in_memory(data.folder(tmp_path, data.Preprocess((4, 4)))).size == 2
