"""Makes inception.npz with pytorch-fid's own program, and two files as PyTorch saves them.

    git clone https://github.com/mseitzer/pytorch-fid  # read and run at b9c18118
    pip install torch==2.13.0 numpy pillow && pip install --no-deps torchvision==0.29.2
    python tests/goldens/make_inception.py pytorch-fid/src/pytorch_fid/inception.py

In an environment of its own: torch and torchvision are no dependencies of the project.
"""
import importlib.util
import pathlib
import sys
import types

import inception_weights
import numpy as np
import torch

HERE = pathlib.Path(__file__).parent


def without_operators():
  """Lets torchvision be imported without its compiled part, which Inception does not use."""
  library = torch.library.Library('torchvision', 'DEF')
  library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
  sys.modules['torchvision._meta_registrations'] = types.ModuleType('_meta_registrations')
  return library


def features(path):
  spec = importlib.util.spec_from_file_location('inception', path)
  theirs = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(theirs)

  def state(*args, **kwargs):
    empty = theirs._inception_v3(num_classes=1008, aux_logits=False, weights=None)
    shapes = {name.removesuffix('.conv.weight'): (*x.shape[2:], x.shape[1], x.shape[0])
              for name, x in empty.state_dict().items() if name.endswith('.conv.weight')}
    shapes['Mixed_5b.branch_pool'] = (1, 1, 192, 32)
    ours = {name: torch.from_numpy(x) for name, x in inception_weights.tensors(shapes).items()}
    return {**empty.state_dict(), **ours}
  theirs.load_state_dict_from_url = state
  model = theirs.InceptionV3().eval()
  vectors = {}
  with torch.no_grad():
    for name, channels in (('colour', 3), ('grey', 1)):
      x = torch.from_numpy(inception_weights.images(channels)).permute(0, 3, 1, 2) / 255.
      vectors[name] = model(x.expand(-1, 3, -1, -1))[0][:, :, 0, 0].numpy()
  return vectors


def tensors():
  """Of several types, shapes and layouts: a view, a transpose, a scalar, none at all."""
  x = torch.arange(24.).reshape(2, 3, 4)
  return {'plain': x, 'view': x[1, 1:], 'transposed': x.permute(2, 0, 1), 'scalar': x[0, 0, 1],
          'empty': torch.zeros(0, 3), 'half': torch.tensor([1.5, -2.], dtype=torch.float16),
          'long': torch.tensor(7), 'parameter': torch.nn.Parameter(torch.ones(2)),
          'double': torch.tensor([[1e300]], dtype=torch.float64),
          'flag': torch.tensor([True, False])}


if __name__ == '__main__':
  keep = without_operators()
  np.savez_compressed(HERE / 'inception.npz', **features(sys.argv[1]))
  for name, new in (('zip', True), ('legacy', False)):
    torch.save(tensors(), HERE / f'{name}.pth', _use_new_zipfile_serialization=new)
  np.savez(HERE / 'tensors.npz', **{k: v.detach().numpy() for k, v in tensors().items()})
