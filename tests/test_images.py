"""Pictures of batches, of which other tests look at whole ones."""
import numpy as np
import pytest

from jaxsynth import images

SHEET = np.full((40, 30, 3), 7, np.uint8)


def test_names_are_written_beside_their_rows_and_none_is_cut():
  short, long = images.with_names(SHEET, ['a', 'b'], left=60), images.with_names(
      SHEET, ['a', 'b' * 60], left=60)
  assert short.shape == (40, 90, 3) and long.shape[1] > 300
  for picture in (short, long):
    np.testing.assert_array_equal(picture[:, -30:], SHEET)
    names = picture[:, :-30]
    assert (names.reshape(2, -1).min(1) < 100).all()  # both rows have ink
    assert (names[:, -4:] == 255).all()


@pytest.mark.parametrize('sheet', [SHEET / 255, SHEET[0], SHEET[..., :2]])
def test_sheets_that_are_no_pictures_are_refused(sheet):
  with pytest.raises(ValueError, match=r'expected uint8 \[H, W, 1 or 3\], got .*\[.*\]'):
    images.with_names(sheet, ['a'])
