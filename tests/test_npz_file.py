"""Data sets as .npz files."""
import io

import numpy as np
import pytest

from jaxsynth import data

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 6, 5, 3), np.uint8)


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
    (lambda p: np.savez(p, images=IMAGES / 255), ValueError, 'expected uint8'),
    (lambda p: np.savez(p, images=IMAGES, labels=[1]), ValueError, r'integers \[7\]')])
def test_npz_that_are_refused(tmp_path, write, error, message):
  write(tmp_path / 'x.npz')
  with pytest.raises(error, match=message):
    data.npz(tmp_path / 'x.npz')
