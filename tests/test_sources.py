"""Preprocessing, .npz files, and decoding on demand or once."""
import io
import re
import struct
import threading
import types
import zlib

import numpy as np
from PIL import Image
import pytest
import training

from jaxsynth import data, downstream, evaluation
from jaxsynth.data import fingerprint, opening
from jaxsynth.data.memory import CHUNK
from jaxsynth.data.preprocess import bit_depth, decoded

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 6, 5, 3), np.uint8)


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


def wide_png(colour, channels):
  """A PNG of 16 bits a channel, which Pillow opens as one of 8."""
  chunk = lambda kind, content: (struct.pack('>I', len(content)) + kind + content +
                                 struct.pack('>I', zlib.crc32(kind + content)))
  rows = b''.join(b'\0' + bytes(range(4 * channels)) for _ in range(2))
  return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 2, 2, 16, colour, 0, 0, 0))
          + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def wide_tiff():
  """A TIFF of 2 x 1 pixels, 16 bits a channel."""
  tags = [(256, 3, 1, 2), (257, 3, 1, 1), (258, 3, 3, 138), (259, 3, 1, 1), (262, 3, 1, 2),
          (273, 4, 1, 8), (277, 3, 1, 3), (278, 3, 1, 1), (279, 4, 1, 12)]
  directory = b''.join(struct.pack('<HHII', *tag) for tag in tags)
  return (b'II*\0' + struct.pack('<I', 20) + bytes(range(12)) + struct.pack('<H', len(tags)) +
          directory + struct.pack('<I', 0) + bytes(4) + struct.pack('<HHH', 16, 16, 16))


@pytest.mark.parametrize('name, encoded', [
    ('rgb.png', wide_png(2, 3)), ('grey and alpha.png', wide_png(4, 2)), ('a.png', wide_png(6, 4)),
    ('rgb.tiff', wide_tiff()), ('rgb.ppm', b'P6 # wide\n2 1\n65535\n' + bytes(range(12))),
    ('text.ppm', b'P3\n1 1\n1023\n1 2 3\n')])
def test_more_than_8_bits_are_not_lost_in_silence(name, encoded):
  with Image.open(io.BytesIO(encoded)) as file:
    assert file.mode in ('RGB', 'RGBA', 'LA'), name  # so it looks as if all were well
  with pytest.raises(ValueError, match='1[06] bits a channel, expected 8 bits a channel; convert'):
    decoded(encoded)
  narrow = {'rgb.ppm': b'P6 # 65535\n2 1\n255\n' + bytes(range(6))}.get(name)
  assert narrow is None or decoded(narrow).ravel().tolist() == list(range(6))


def test_avif_of_ten_bits_is_known_by_its_header():
  kind = types.SimpleNamespace(format='AVIF')
  for flags, bits in ((0x0c, 8), (0x4c, 10), (0x6c, 12)):
    assert bit_depth(b'....ftypavif....av1C\x81\0' + bytes([flags]), kind) == bits


# bytes of 0 and 1: every door says the same

WORDS = 'uint8 images whose largest value is 1, expected [0, 255]; multiply by 255 before'


def test_images_of_0_and_1_are_refused_at_every_door(tmp_path):
  binary = np.random.default_rng(0).integers(0, 2, (220, 8, 8), np.uint8)
  np.savez(tmp_path / 'x.npz', images=binary, labels=np.arange(220) % 2)
  for i, image in enumerate(binary[:4]):
    (tmp_path / f'folder/{i % 2}').mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(tmp_path / f'folder/{i % 2}/{i}.png')
  folder = data.DatasetSpec(str(tmp_path / 'folder'))
  x, y = binary[..., None], np.arange(220) % 2
  for door in (
      lambda: data.ArraySource.of(binary), lambda: data.npz(tmp_path / 'x.npz'),
      lambda: data.open_dataset(folder), lambda: fingerprint.fingerprint(opening.open_raw(folder)),
      lambda: opening._sampled(data.folder(folder.dataset)),
      lambda: evaluation.read_synthetic(tmp_path / 'x.npz'), lambda: evaluation.score_arrays(x, x),
      lambda: downstream.study((x, y), (x, y), (x, y)),
      lambda: training.trained(tmp_path / 'run', f'--dataset={tmp_path / "x.npz"}'),
      lambda: training.trained(tmp_path / 'run', f'--dataset={folder.dataset}')):
    with pytest.raises(ValueError, match=re.escape(WORDS)):
      door()


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


# .npz

def npy(array):
  file = io.BytesIO()
  np.save(file, array)
  return file.getvalue()


def test_npz_with_and_without_labels(tmp_path):
  np.savez(tmp_path / 'a.npz', images=IMAGES, labels=np.arange(7) % 3)
  source = data.npz(tmp_path / 'a.npz')
  assert (source.name, source.size, source.num_classes) == ('a.npz', 7, 3)
  np.testing.assert_array_equal(source.images, IMAGES)
  assert data.npz(str(tmp_path / 'a.npz'), num_classes=5).num_classes == 5
  np.savez_compressed(tmp_path / 'b.npz', images=IMAGES[..., 0])
  source = data.npz(tmp_path / 'b.npz', data.Preprocess((4, 4), 3))
  assert source.images.shape == (7, 4, 4, 3) and source.labels is None
  np.testing.assert_array_equal(source.images[6], data.preprocess_image(
      IMAGES[6, ..., 0], data.Preprocess((4, 4), 3)))


@pytest.mark.parametrize('write, error, message', [
    (lambda p: None, FileNotFoundError, 'x.npz: no such file'),
    (lambda p: p.write_bytes(b'text'), ValueError, 'x.npz: not an .npz file'),
    (lambda p: p.write_bytes(b''), ValueError, 'not an .npz file'),
    (lambda p: p.write_bytes(npy(IMAGES)), ValueError, 'not an .npz file'),
    (lambda p: np.savez(p, images=np.array([{}])), ValueError, 'of plain arrays'),
    (lambda p: np.savez(p, x=IMAGES), ValueError, r"no array 'images', only \['x'\]"),
    (lambda p: np.savez(p, images=IMAGES / 255), ValueError, r'seem to be in \[0, 1\]: give 2'),
    (lambda p: np.savez(p, images=IMAGES, labels=[1]), ValueError, r'integers \[7\]')])
def test_npz_that_are_refused(tmp_path, write, error, message):
  write(tmp_path / 'x.npz')
  with pytest.raises(error, match=message):
    data.npz(tmp_path / 'x.npz')
