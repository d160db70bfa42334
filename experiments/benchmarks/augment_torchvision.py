"""The torchvision side of `augment.py`: a process of its own, asked line by line.

Reads `[task, [B, H, W, C], seconds]`, writes images/s. `torchvision.transforms.v2` draws
once a call, so a call takes one image, as a `Dataset` does; two worker processes of a
`DataLoader` take both cores.
"""
import json
import sys
import time

import torch


KEPT: list = []


def load():
  """torchvision's transforms; its compiled operators, which they do not use, may be missing."""
  try:
    from torchvision.transforms import v2
  except RuntimeError:  # built for another torch: declare what its import looks up
    for name in [m for m in sys.modules if m.startswith('torchvision')]:
      del sys.modules[name]
    library = torch.library.Library('torchvision', 'FRAGMENT')
    for name in ('nms', 'qnms'):
      library.define(f'{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
    KEPT.append(library)  # or its declarations end with it
    from torchvision.transforms import v2
  return v2


v2 = load()
BILINEAR = v2.InterpolationMode.BILINEAR


def cutout(size):
  def apply(x):
    h, w = x.shape[1:]
    y, left = (int(torch.randint(0, n, ())) - size // 2 for n in (h, w))
    return v2.functional.erase(x, max(y, 0), max(left, 0), min(y + size, h) - max(y, 0),
                               min(left + size, w) - max(left, 0), torch.tensor(127))
  return v2.Lambda(apply)


def build(task, h, channels):
  if task == 'rand_augment':
    chosen = [v2.RandAugment(2, 9, interpolation=BILINEAR)]
  else:
    color = (.2, .2) if channels == 1 else (.2, .2, .2, .05)
    chosen = [v2.RandomHorizontalFlip(), v2.RandomCrop(h, padding=h // 8),
              v2.RandomAffine(15, (.1, .1), (.9, 1.1), (-5, 5, -5, 5), interpolation=BILINEAR),
              v2.ColorJitter(*color), cutout(h // 4)]
  return v2.Compose([*chosen, v2.ToDtype(torch.float32, scale=True), v2.Normalize([.5], [.5])])


class Images(torch.utils.data.Dataset):
  """The batch's images over and over, augmented."""

  def __init__(self, task, shape):
    b, h, w, c = shape
    self._images = torch.randint(0, 256, (b, c, h, w), dtype=torch.uint8)
    self._transform = build(task, h, c)

  def __len__(self):
    return 1 << 40

  def __getitem__(self, i):
    return self._transform(self._images[i % len(self._images)])


class Endless(torch.utils.data.Sampler):
  def __iter__(self):
    i = 0
    while True:
      yield i
      i += 1


def main():
  import torchvision
  torch.set_num_threads(1)
  print(f'torch {torch.__version__}, torchvision {torchvision.__version__}, 2 workers', flush=True)
  for line in sys.stdin:
    task, shape, seconds = json.loads(line)
    batches = iter(torch.utils.data.DataLoader(
        Images(task, shape), shape[0], sampler=Endless(), num_workers=2))
    for _ in range(4):  # what both workers make ready while they start does not count
      next(batches)
    start, n = time.perf_counter(), 0
    while time.perf_counter() - start < seconds or not n:
      n += len(next(batches))
    rate = n / (time.perf_counter() - start)
    del batches  # ends the workers, who would work on while others are timed
    print(json.dumps(rate), flush=True)


if __name__ == '__main__':
  main()
