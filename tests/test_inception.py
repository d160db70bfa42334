"""Inception against pytorch-fid's own program, and files that must not be run."""
import io
import os
import pathlib
import pickle
import sys
import zipfile

import numpy as np
import pytest

from jaxsynth.metrics import features
from jaxsynth.metrics.features import inception_network, torch_file
from jaxsynth.metrics.features.inception_v3 import folded

GOLDENS = pathlib.Path(__file__).parent / 'goldens'
sys.path.insert(0, str(GOLDENS))
import inception_weights


@pytest.fixture(scope='module')
def tensors():
  return inception_weights.tensors(inception_network.shapes())


@pytest.fixture(scope='module')
def weights(tensors, tmp_path_factory):
  """An npz file in the documented layout, without hashes."""
  path = tmp_path_factory.mktemp('weights') / 'inception.npz'
  np.savez(path, **folded(tensors))
  return path


@pytest.mark.long
def test_features_equal_those_of_pytorch_fid(weights):
  """Resizing, padding, pooling and the odd largest in the last block, on random weights."""
  net = features.inception(weights)
  assert net.name == 'inception'  # not from the official file
  with np.load(GOLDENS / 'inception.npz') as golden:
    for name, channels in (('colour', 3), ('grey', 1)):
      found = features.extract(net, inception_weights.images(channels), 2)
      want = golden[name]
      assert found.shape == want.shape == (2, 2048)
      scale = np.abs(want).max()
      np.testing.assert_allclose(found, want, atol=1e-4 * scale)
      # two images differ by far more than the tolerance
      assert np.abs(want[0] - want[1]).max() > .02 * scale


def test_it_has_as_many_weights_as_torchvisions():
  """`Inception3(1008, aux_logits=False)` has 21,785,568 parameters before its last layer;
  two of each batch norm's channel."""
  found = inception_network.shapes()
  kernels = sum(np.prod(shape) for shape in found.values())
  assert len(found) == 94
  assert kernels + 2 * sum(shape[-1] for shape in found.values()) == 21_785_568


def test_channels_that_are_refused(weights):
  with pytest.raises(ValueError, match='images of 2 channels'):
    features.extract(features.inception(weights), np.zeros((2, 9, 9, 2), np.uint8), 2)


def altered(path, to, **changes):
  with np.load(path) as arrays:
    found = {**{name: arrays[name] for name in arrays.files}, **changes}
  np.savez(to, **{k: v for k, v in found.items() if v is not None})
  return to


def test_weights_that_are_damaged_are_refused(weights, tmp_path):
  to, name = tmp_path / 'x.npz', 'Mixed_7c.branch_pool'
  with np.load(weights) as arrays:
    bias = arrays[f'{name}.bias']
    sha256 = features.digest({k: arrays[k] for k in arrays.files})
  good = features.inception(altered(weights, to, sha256=np.array(sha256)))
  assert good.sha256 == sha256
  for changes, message in (
      ({f'{name}.bias': bias + 1, 'sha256': np.array(sha256)}, f'expected {sha256}'),
      ({f'{name}.bias': None}, 'branch_pool.bias is None, expected float32'),
      ({f'{name}.bias': bias[1:]}, r"\(191,\), 'float32'\), expected float32 \(192,\)"),
      ({'fc.bias': bias}, 'fc.bias is .*expected nothing of that name')):
    with pytest.raises(features.DamagedWeights, match=message):
      features.inception(altered(weights, to, **changes))
  to.write_bytes(weights.read_bytes()[:9999])
  with pytest.raises(features.DamagedWeights, match='not a whole npz file'):
    features.inception(to)
  with pytest.raises(FileNotFoundError, match='convert_inception'):
    features.inception(tmp_path / 'none.npz')


@pytest.mark.parametrize('name', ['zip', 'legacy'])
def test_pytorchs_files_are_read(name):
  found = torch_file.read(GOLDENS / f'{name}.pth')
  with np.load(GOLDENS / 'tensors.npz') as want:
    assert sorted(found) == sorted(want.files)
    for key in want.files:
      assert found[key].dtype == want[key].dtype and found[key].shape == want[key].shape, key
      np.testing.assert_array_equal(found[key], want[key])


class Runs:
  """What an attacker writes: unpickled, it makes a folder."""

  def __init__(self, path):
    self._path = str(path)

  def __reduce__(self):
    return os.mkdir, (self._path,)


def zipped(path, pickled, **entries):
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr('a/data.pkl', pickled)
    for name, data in entries.items():
      archive.writestr(f'a/data/{name}', data)
  return path


@pytest.mark.parametrize('legacy', [False, True])
def test_a_file_that_would_run_code_is_refused_and_runs_nothing(legacy, tmp_path):
  proof, path = tmp_path / 'ran', tmp_path / 'evil.pth'
  evil = pickle.dumps({'a': Runs(proof)}, 2)
  pickle.loads(evil)  # it does work
  proof.rmdir()
  if legacy:
    path.write_bytes(b''.join(pickle.dumps(x, 2) for x in (
        torch_file.MAGIC, torch_file.PROTOCOL, {})) + evil)
  else:
    zipped(path, evil)
  for read in (torch_file.read, lambda p: features.convert_inception(p, tmp_path / 'x.npz')):
    with pytest.raises(features.UnsafeFile, match=r'evil.pth: it names (posix|nt).mkdir'):
      read(path)
  assert [p.name for p in tmp_path.iterdir()] == ['evil.pth']


@pytest.mark.parametrize('name', [
    'builtins eval', 'builtins getattr', 'os system', 'torch load', 'torch FloatTensor',
    'collections namedtuple', 'torch._utils _import_dotted_name', 'numpy.core.multiarray scalar'])
def test_no_other_name_is_known(name, tmp_path):
  module, attribute = name.split()
  pickled = f'c{module}\n{attribute}\n.'.encode()
  with pytest.raises(features.UnsafeFile, match=f'it names {module}.{attribute}'):
    torch_file.read(zipped(tmp_path / 'x.pth', pickled))


class _Writer(pickle.Pickler):
  """Writes records as PyTorch writes tensors."""

  def persistent_id(self, x):
    return x[1] if isinstance(x, tuple) and x[:1] == ('pid',) else None

  def reducer_override(self, x):
    return (REBUILD, x.args) if isinstance(x, Fake) else NotImplemented


class Fake:
  def __init__(self, *args):
    self.args = args


def REBUILD(*args):
  raise AssertionError('never called')


@pytest.mark.parametrize('size, offset, shape, strides, message', [
    (4, 0, (2, 3), (3, 1), 'reaches outside'), (4, 3, (2,), (1,), 'reaches outside'),
    (4, 0, (10 ** 12,), (0,), 'reaches outside'), (4, -1, (2,), (1,), 'torn'),
    (4, 0, (2,), (-1,), 'torn'), (4, 0, (2, 2), (1,), 'torn'), (5, 0, (2,), (1,), 'torn'),
    (4, 0, (2.,), (1,), 'torn')])
def test_tensors_reach_nothing_outside_their_storage(size, offset, shape, strides, message,
                                                     tmp_path):
  f = io.BytesIO()
  pid = ('storage', 'TYPE', '0', 'cpu', size)
  _Writer(f, 2).dump({'x': Fake(('pid', pid), offset, shape, strides, False, {})})
  pickled = f.getvalue().replace(f'c{__name__}\nREBUILD\n'.encode(),
                                 b'ctorch._utils\n_rebuild_tensor_v2\n')
  at = pickled.index(b'X\x04\x00\x00\x00TYPE')
  pickled = pickled[:at] + b'ctorch\nFloatStorage\n' + pickled[at + 9:]
  with pytest.raises(features.UnsafeFile, match=f"tensor 'x' .*{message}|tensor 'x' is torn"):
    torch_file.read(zipped(tmp_path / 'x.pth', pickled, **{'0': np.zeros(4, '<f4').tobytes()}))


@pytest.mark.parametrize('keep', [0, 3, 700, 1400])
@pytest.mark.parametrize('name', ['zip', 'legacy'])
def test_torn_files_are_refused(name, keep, tmp_path):
  path = tmp_path / 'x.pth'
  path.write_bytes((GOLDENS / f'{name}.pth').read_bytes()[:keep])
  with pytest.raises(features.UnsafeFile, match=r'x\.pth: '):
    torch_file.read(path)


def test_converting_keeps_whence_the_weights_came(tensors, tmp_path, monkeypatch):
  """Only pytorch-fid's own file, by its hash, makes a score FID."""
  source, target = tmp_path / 'x.pth', tmp_path / 'x.npz'
  source.write_bytes(b'stands for the file')
  monkeypatch.setattr(torch_file, 'read', lambda path: tensors)
  sha256 = features.convert_inception(source, target)
  net = features.inception(target)
  assert (net.name, net.sha256) == ('inception', sha256)
  assert features.score_name('frechet', net) == 'frechet_inception'
  with np.load(target) as arrays:
    hashed = str(arrays['source'])
  module = sys.modules['jaxsynth.metrics.features.inception_v3']
  monkeypatch.setattr(module, 'OFFICIAL', hashed[:8])
  net = features.inception(target)
  assert features.score_name('frechet', net) == 'fid'
  assert features.score_name('kernel', net) == 'kernel_inception_fid'


def test_other_state_dictionaries_are_refused(tmp_path):
  with pytest.raises(features.DamagedWeights, match='zip.pth: layer Conv2d_1a_3x3: .*expected'):
    features.convert_inception(GOLDENS / 'zip.pth', tmp_path / 'x.npz')
  assert not list(tmp_path.iterdir())
