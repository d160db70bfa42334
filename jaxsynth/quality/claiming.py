"""What a data set says of itself before anything is drawn, and whose its folder is."""
import pathlib
from typing import Any, TYPE_CHECKING
import zlib

import jax
import jaxlib
import numpy as np

import jaxsynth
from jaxsynth.data import embedded_series, origin
from jaxsynth.data.tables import embedded
from jaxsynth.kinds.recorded import kind_of_record
from jaxsynth.quality.order import Order
from jaxsynth.quality.real import RealData
from jaxsynth.quality.selection import Selection
from jaxsynth.synthesis import image_folder, metadata, records
from jaxsynth.synthesis.engine import Format

if TYPE_CHECKING:
  from jaxsynth.runs import Trained  # which loads Orbax


def claim(order: Order, model: 'Trained', real: RealData | None, selection: Selection) -> Format:
  """Claims the folder for this data set: the first writes all settings, others compare.

  Args:
    order: what is written.
    model: of what.
    real: what filters stand on; `None` without them.
    selection: which samples enter, and who labels them.

  Returns:
    How the data set is written.

  Raises:
    ValueError: a name that is another data set's, see `check_name` and `check_place`.
    metadata.OtherSettings: the folder is another data set's.
    OSError: it cannot be written.
    ImportError: a package that the format needs is missing.
  """
  if order.format != 'folder':
    check_name(order.name)
    check_place(order.folder.parent)
  classes = (model.record['data']['num_classes'] if selection.pseudo_labels else
             model.run.num_classes)
  names = None if classes is None else model.class_names
  kind = kind_of_record(model.image_shape, model.kind.settings, classes, names) if (
      selection.pseudo_labels) else model.kind
  about = metadata.About(order.name, order.version, kind,
                         _description(order, model, selection),
                         order.citation or _citation(order, model))
  if order.format == 'folder':
    form = image_folder.image_folder(order.folder, classes, order.shares,
                                     exact=not selection.pseudo_labels, class_names=names)
  else:
    kinds = {'array_record': records.array_record, 'tfrecord': records.tfrecord}
    if order.format not in kinds:
      raise ValueError(f'format={order.format!r}: expected folder or one of {list(kinds)}')
    form = kinds[order.format](order.folder, about)
  metadata.claim(order.folder, {
      'name': order.name, 'version': order.version, 'format': order.format,
      'splits': order.splits, 'shards': len(order.shards), 'labels': order.shares,
      'seed': order.seed, 'block': order.block, 'citation': about.citation,
      'model': model.provenance, 'filters': _filter_settings(real, selection),
      'pseudo_labels': _label_settings(selection),
      'class_names': names and list(names), origin.MARK: True,
      **({'kind': dict(kind.settings)} if kind.settings else {}),
      **_privacy(model, real, selection),
      'platform': jax.devices()[0].device_kind,
      'versions': {'jaxsynth': jaxsynth.__version__, 'jax': jax.__version__,
                   'jaxlib': jaxlib.__version__, 'numpy': np.__version__,
                   'zlib': zlib.ZLIB_RUNTIME_VERSION}})
  return form


def check_name(name: str) -> None:
  """Refuses a name by which readers know a data set of real images.

  Raises:
    ValueError: tensorflow-datasets has a data set of this name, or jaxsynth has.

  >>> check_name('digits')
  """
  import tensorflow_datasets as tfds  # slow to load
  ours = name in ('mnist5k', *embedded.NAMES, *embedded_series.FILES)
  if ours or name in tfds.list_builders(with_community_datasets=False):
    whose = 'jaxsynth' if ours else 'tensorflow-datasets'
    raise ValueError(f'--name={name}: {whose} has a data set of this name, which this one would '
                     f'be taken for; give another name, as {name}_synthetic')


def check_place(folder: pathlib.Path) -> None:
  """Refuses a data set's folder that holds versions which this library has not drawn.

  Raises:
    ValueError: there is one.
  """
  for info in sorted(folder.glob('**/dataset_info.json')):
    if not origin.made_here(info.parent):
      raise ValueError(f'--name={folder.name}: {info.parent} holds a data set of this name that '
                       'jaxsynth has not drawn; give another name, as '
                       f'{folder.name}_synthetic, or another --out')


def _filter_settings(real: RealData | None, selection: Selection) -> dict[str, Any] | None:
  if not selection.filters or real is None:
    return None
  return {'names': list(selection.filters), 'keep': selection.keep, 'gamma': selection.gamma,
          'classifier': selection.classifier_sha256, 'validation': real.held_out.name,
          'features': {'name': real.features.name, 'sha256': real.features.sha256}}


def _privacy(model: 'Trained', real: RealData | None, selection: Selection) -> dict[str, Any]:
  """What is promised of the samples, and not of a choice among them by real examples."""
  if model.privacy is None:
    return {}
  uses = [('selection of samples', selection.filters and real is not None),
          ('labels', selection.pseudo_labels and not selection.classifier_sha256)]
  left_out = [f'The {what} used real examples without noise, and is not covered.'
              for what, used in uses if used]
  return {'privacy': model.privacy._replace(
      left_out=(*model.privacy.left_out, *left_out)).to_json()}


def _label_settings(selection: Selection) -> dict[str, Any] | None:
  if not selection.pseudo_labels:
    return None
  return {'classifier': selection.classifier_sha256 or "trained on the model's data"}


def _description(order: Order, model: 'Trained', selection: Selection) -> str:
  sampling = ''.join(f', {name.replace("_", " ")} {x:g}' if isinstance(x, (int, float)) else
                     f', {name.replace("_", " ")} {x}' for name, x in _sampling(model).items())
  return (f'Synthetic images drawn from {model.origin}, seed {order.seed}{sampling}, by jaxsynth '
          f'{jaxsynth.__version__}. Sample i of a split is sample (start + i) of the model and '
          'seed, the splits one after the other' +
          (f', the first of its candidates that passes {", ".join(selection.filters)}'
           if selection.filters else '') +
          (', labelled by a classifier' if selection.pseudo_labels else '') +
          '; metadata.json has every setting.' +
          (f' {model.privacy.sentence()}' if model.privacy else ''))


def _sampling(model: 'Trained') -> dict[str, Any]:
  """The settings of sampling that a description tells: a temperature, and what was changed."""
  flags = model.record['flags']
  has_temperature = 'temperature' in flags or 'experiment' not in model.record
  usual = {'temperature': flags.get('temperature', 1.)} if has_temperature else {}
  return {**usual, **model.sampling}


def _citation(order: Order, model: 'Trained') -> str:
  return (f'@misc{{{order.name}, title = {{{order.name} {order.version}: synthetic images after '
          f'{model.record["data"]["name"]}}}, note = {{drawn by jaxsynth '
          f'{jaxsynth.__version__}; model {model.digest}, seed {order.seed}}}}}')
