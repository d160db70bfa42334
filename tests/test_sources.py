"""Preprocessing, image folders, and decoding on demand or once."""
import io
import logging
import threading

import numpy as np
from PIL import Image
import pytest

from jaxsynth import data
from jaxsynth.data import analysis, image_folder
from jaxsynth.data.memory import CHUNK
from jaxsynth.data.preprocess import decoded

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


# preprocessing

@pytest.mark.parametrize('image', [IMAGES[0], IMAGES[0, ..., :1], IMAGES[0, ..., 0]])
def test_nothing_to_change_keeps_the_bytes(image):
  h, w = image.shape[:2]
  for how in (data.Preprocess(), data.Preprocess((h, w)),
              data.Preprocess((h, w), 3 if image.shape[2:] == (3,) else 1, 'pad')):
    out = data.preprocess_image(image, how)
    assert out.shape[:2] == (h, w) and out.tobytes() == image.tobytes()
    assert np.shares_memory(out, image)


def test_crop_and_pad_keep_the_centre_and_move_no_pixel_at_scale_one():
  tall = np.arange(9 * 4, dtype=np.uint8).reshape(9, 4)
  cropped = data.preprocess_image(tall, data.Preprocess((4, 4)))
  np.testing.assert_array_equal(cropped[..., 0], tall[2:6])
  padded = data.preprocess_image(tall, data.Preprocess((9, 7), fit='pad'))
  np.testing.assert_array_equal(padded[:, 1:5, 0], tall)
  assert padded.sum() == tall.sum()


def test_resizing_is_antialiased_and_keeps_the_aspect_ratio():
  board = np.indices((64, 32)).sum(0) % 2 * np.uint8(255)  # picking pixels gives 0 or 255
  small = data.preprocess_image(board.astype(np.uint8), data.Preprocess((16, 8)))
  assert small.shape == (16, 8, 1) and abs(small[2:-2, 2:-2].astype(int) - 127.5).max() < 3
  white = np.full((20, 10, 3), 255, np.uint8)
  padded = data.preprocess_image(white, data.Preprocess((10, 10), fit='pad'))
  assert (padded[:, 2:7] == 255).all() and padded.sum() == 10 * 5 * 3 * 255
  assert (data.preprocess_image(white, data.Preprocess((10, 10))) == 255).all()
  thin = np.full((1, 1000), 9, np.uint8)
  assert data.preprocess_image(thin, data.Preprocess((8, 8), 3, 'pad')).shape == (8, 8, 3)


def test_colours():
  """Luma of red, ITU-R 601-2: 0.299 * 255 = 76.2; alpha 51 of 255 leaves a fifth."""
  red = np.zeros((2, 2, 4), np.uint8) + np.uint8([255, 0, 0, 255])
  grey = data.preprocess_image(red, data.Preprocess(channels=1))
  assert grey.shape == (2, 2, 1) and (grey == 76).all()
  back = data.preprocess_image(grey, data.Preprocess(channels=3))
  assert back.shape == (2, 2, 3) and (back == 76).all()
  red[..., 3] = 51
  assert (data.preprocess_image(red, data.Preprocess()) == np.uint8([51, 0, 0])).all()


@pytest.mark.parametrize('make, message', [
    (lambda: data.Preprocess((28,)), r'image_size=\(28,\): expected \(height, width\)'),
    (lambda: data.Preprocess((28, 0)), 'of at least 1'),
    (lambda: data.Preprocess((28, 28.)), 'two integers'),
    (lambda: data.Preprocess(channels=4), r'channels=4: expected 1 \(grey\), 3'),
    (lambda: data.Preprocess(fit='fill'), "fit='fill': expected 'crop' or 'pad'"),
    (lambda: data.preprocess_image(np.zeros((2, 2)), data.Preprocess()),
     'dtype float64, expected uint8'),
    (lambda: data.preprocess_image(np.zeros((2, 2, 2), np.uint8), data.Preprocess()),
     r'shape \[2, 2, 2\], expected \[H, W\]'),
    (lambda: data.preprocess_image(np.zeros((2, 0), np.uint8), data.Preprocess()),
     r'shape \[2, 0\]')])
def test_preprocessing_refuses(make, message):
  with pytest.raises(ValueError, match=message):
    make()


def test_files_of_every_mode_are_seen_as_a_viewer_shows_them():
  def shown(image, form='PNG', **kwargs):
    file = io.BytesIO()
    image.save(file, form, **kwargs)
    return decoded(file.getvalue())
  rgb = Image.fromarray(IMAGES[0])
  np.testing.assert_array_equal(shown(rgb), IMAGES[0])
  np.testing.assert_array_equal(shown(rgb.convert('L'))[..., 0], np.asarray(rgb.convert('L')))
  assert set(np.unique(shown(rgb.convert('1')))) <= {0, 255}
  palette = rgb.quantize(4)
  np.testing.assert_array_equal(shown(palette), np.asarray(palette.convert('RGB')))
  assert shown(rgb.convert('CMYK'), 'JPEG').shape == (6, 5, 3)
  half = Image.fromarray(np.full((2, 2, 2), [200, 51], np.uint8), 'LA')
  assert (shown(half) == 40).all() and shown(half).shape == (2, 2, 1)
  assert (shown(Image.new('L', (2, 2), 7), transparency=7) == 0).all()
  exif = Image.Exif()
  exif[0x0112] = 6  # the camera lay on its side
  np.testing.assert_array_equal(shown(rgb, exif=exif), np.rot90(IMAGES[0], -1))
  with pytest.raises(ValueError, match="mode 'I;16', expected 8 bits"):
    shown(Image.fromarray(np.zeros((2, 2), np.uint16)))


# folders

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
  if suffix not in image_folder.suffixes() and form == 'AVIF':
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


# memory

def planted(n, label=lambda i: i % 4):
  """Example i is filled with i % 251; remembers which threads decoded."""
  threads = set()

  def decode(i):
    threads.add(threading.current_thread().name)
    return np.full((2, 3, 1), i % 251, np.uint8), label(i)
  return data.DecodedSource.of('planted', n, 4, list, decode), threads


def test_in_memory_equals_on_disk():
  n = 10 * CHUNK + 5
  source, threads = planted(n)
  kept = data.in_memory(source, workers=3)
  assert isinstance(kept, data.ArraySource) and isinstance(source, data.DecodedSource)
  assert any(name.startswith('decode') for name in threads)
  for field in ('name', 'size', 'image_shape', 'num_classes'):
    assert getattr(kept, field) == getattr(source, field)
  one, _ = planted(n)
  one = data.in_memory(one, max_bytes=0, workers=1)
  for positions in (np.arange(n), np.array([n - 1, 0, 0, 77]), np.array([], int)):
    want = kept.take(positions)
    for other in (source, one):
      found = other.take(positions)
      for key in ('image', 'label'):
        assert found[key].dtype == want[key].dtype
        np.testing.assert_array_equal(found[key], want[key])
  np.testing.assert_array_equal(kept.images[:, 0, 0, 0], np.arange(n) % 251)
  for k in range(3):
    np.testing.assert_array_equal(data.batch_at(source, 8, 1)(k)['image'],
                                  data.batch_at(kept, 8, 1)(k)['image'])


def test_what_does_not_fit_stays_on_disk():
  source, _ = planted(10)
  assert data.in_memory(source, max_bytes=10 * 6 - 1) is source
  assert isinstance(data.in_memory(source, max_bytes=10 * 6), data.ArraySource)
  assert data.in_memory(source, max_bytes=1, workers=2).workers == 2
  with pytest.raises(ValueError, match='workers=0: expected at least 1'):
    data.in_memory(source, workers=0)


def test_bad_positions_and_labels():
  source, _ = planted(10, label=lambda i: 4 if i == 6 else 0)
  for bad in ([-1], [10], [0, 99]):
    with pytest.raises(IndexError, match=r'expected \[0, 10\)'):
      source.take(np.array(bad))
  with pytest.raises(ValueError, match=r'example 6 has label 4, expected \[0, 4\)'):
    data.in_memory(source)


def test_the_first_bad_example_is_the_one_named():
  def decode(i):
    if i in (40, 200):
      raise OSError('torn')
    return np.zeros((2, 2, 1), np.uint8), None
  source = data.DecodedSource.of('s', 300, None, list, decode)
  with pytest.raises(ValueError, match=r's: example 40 cannot be decoded \(torn\)'):
    data.in_memory(source, workers=4)
