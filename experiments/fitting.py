"""The filters that the flags ask for, at their operating point; fitted once a data set."""
from collections.abc import Sequence
import json
import pathlib
from typing import Any, NamedTuple

from absl import flags
import jax
import numpy as np

from jaxsynth import checkpoint, files
from jaxsynth.synthesis import candidates, filters
from jaxsynth.types import TrainState
import judge
from quality_options import Real
import recipe
from sets import some
import trained

CALIBRATION = 5000  # samples that thresholds are looked at with
REFERENCE = 10_000  # training images that candidates are held against
FLAGS = flags.FLAGS


class Fitted(NamedTuple):
  """Filters, ready to use.

  Attributes:
    filters: in order.
    unlike: the threshold of duplicates, or `None`.
    about: for each, how it was fitted and what it keeps of real images and of samples.
  """
  filters: list[filters.Filter]
  unlike: float | None
  about: dict[str, dict[str, Any]]


def fitted(ordered: recipe.Order, model: trained.Trained, real: Real, names: Sequence[str]
           ) -> Fitted:
  """Fits, or reads what another worker or an earlier run fitted.

  What depends on the machine (thresholds, the classifier's weights) is written beside the
  data, and whoever comes later reads it: all shards pass the same filters.
  """
  folder = ordered.folder
  path = folder / '.filters.json'
  about = json.loads(path.read_text(encoding='utf-8')) if path.exists() else None
  state = _state(model) if 'discriminator' in names else None
  made, unlike = [], None
  if about is None:
    about = {}
    held = _candidates(real, model.run.num_classes is not None)
    fakes = sampled(model, ordered, CALIBRATION)
    for name in names:
      one, about[name] = _fit(name, folder, model, real, state, held, fakes)
    with files.write_aside(path, exclusive=True) as f:
      f.write(json.dumps(about, indent=2, allow_nan=False).encode() + b'\n')
    about = json.loads(path.read_text(encoding='utf-8'))  # whoever was first
  for name in names:
    one = _plain(name, folder, model, real, state, about[name])
    if one is None:
      unlike = about[name]['threshold']
    else:
      made.append(one._replace(threshold=about[name]['threshold']))
  return Fitted(made, unlike, about)


def classifier(folder: pathlib.Path, model: trained.Trained, real: Real) -> judge.Judge:
  """The classifier of a data set: trained, or given, for whoever comes first."""
  path = folder / '.classifier.npz'
  if not path.exists():
    if _judged_before(folder):
      raise ValueError(f'{path} is gone, and images were judged by it: bring it back, or remove '
                       'the data set')
    judge.save(path, _given(real) or judge.train(real.train, FLAGS.seed))
  classes = real.train.num_classes
  assert classes is not None
  return judge.load(path, model.image_shape, classes)


def _judged_before(folder: pathlib.Path) -> bool:
  """Whether a classifier has been at work there."""
  path = folder / '.filters.json'
  return (folder / '.pseudo_labels.json').exists() or (
      path.exists() and 'classifier' in json.loads(path.read_text(encoding='utf-8')))


def sampled(model: trained.Trained, ordered: recipe.Order, num: int, batch: int = 0
            ) -> filters.Candidates:
  """Samples that are in no data set, of its seed and labels."""
  propose = candidates.proposer(model.run.algorithm.sample, model.params, model.variables,
                                FLAGS.seed, ordered.shares, block=ordered.block)
  found = list(propose(np.arange(num), np.full(num, candidates.SPARE + batch)))
  labels = None if found[0].labels is None else np.concatenate([x.labels for x in found])
  return filters.Candidates(np.concatenate([x.images for x in found]), labels,
                            np.concatenate([x.uniforms for x in found]))


def _fit(name: str, folder: pathlib.Path, model: trained.Trained, real: Real,
         state: TrainState | None, held: filters.Candidates, fakes: filters.Candidates
         ) -> tuple[filters.Filter | None, dict[str, Any]]:
  about: dict[str, Any] = {'validation': real.held_name, 'keep': FLAGS.keep}
  if name == 'duplicates':
    found = filters.duplicate_threshold(
        real.train.take(some(real.train.size, REFERENCE))['image'])
    return None, {'threshold': found, 'unit': 'pixels in [-1, 1], Euclidean',
                  'scope': 'within a shard'}
  if name == 'discriminator':
    logits = [_logits(model, state, x) for x in (held, fakes)]
    about['calibration'] = filters.calibrate(*logits)._asdict()
  one = _plain(name, folder, model, real, state, about)
  assert one is not None
  if name == 'classifier':
    least = one.threshold
    one = filters.fit(one, held, FLAGS.keep)
    one = one._replace(threshold=max(one.threshold, least))
    if held.labels is not None:
      agree = filters.kept(one._replace(threshold=least), held)
      about['accuracy_on_validation'] = float(agree.mean())
  elif name == 'copies':
    one = filters.fit_copies(one, held)
    about.update(keep=1., unit='pixels in [-1, 1], Euclidean')
  elif name == 'discriminator' and FLAGS.gamma is not None:
    one = one._replace(threshold=filters.gamma(
        logits[1], filters.Calibration(**about['calibration']), FLAGS.gamma))
    about.update(keep=None, percentile=FLAGS.gamma)
  else:
    one = filters.fit(one, held, FLAGS.keep)
  about.update(threshold=one.threshold, kept_of_validation=float(filters.kept(one, held).mean()),
               kept_of_samples=float(filters.kept(one, fakes).mean()))
  return one, about


def _plain(name: str, folder: pathlib.Path, model: trained.Trained, real: Real,
           state: TrainState | None, about: dict[str, Any]) -> filters.Filter | None:
  """The filter before its threshold."""
  if name in ('realism', 'density'):
    of = {'realism': filters.realism, 'density': filters.density}[name]
    return of(real.net, real.train.take(some(real.train.size, REFERENCE))['image'])
  if name == 'copies':
    return filters.copies(real.train.take(np.arange(real.train.size))['image'])
  if name == 'classifier':
    own = classifier(folder, model, real)
    about['sha256'] = own.digest
    return filters.classifier(own.logits, own.weights)
  if name == 'discriminator':
    logits = lambda state, images, labels: model.run.logits(
        state, images, *(() if labels is None else (labels,)))
    return filters.discriminator(logits, state, filters.Calibration(**about['calibration']))
  return None


def _given(real: Real) -> judge.Judge | None:
  if FLAGS.classifier is None:
    return None
  assert real.train.num_classes is not None
  return judge.load(pathlib.Path(FLAGS.classifier).expanduser(), real.train.image_shape,
                    real.train.num_classes)


def _candidates(real: Real, conditional: bool) -> filters.Candidates:
  """Held-out images as if they were samples."""
  uniforms = np.random.Generator(np.random.Philox(FLAGS.seed)).random(
      len(real.held), np.float32)
  return filters.Candidates(real.held, real.held_labels if conditional else None, uniforms)


def _state(model: trained.Trained) -> TrainState:
  """The state of the model's own checkpoint, the discriminator's part of it alone."""
  image = np.zeros((1, *model.image_shape), np.float32)
  like = jax.eval_shape(model.run.algorithm.init, jax.random.key(0),
                        {'image': image, 'label': np.zeros(1, np.int32)})
  with trained.hushed():
    state = checkpoint.load_state(model.folder / 'checkpoints', like, FLAGS.step)
  if trained.digest(*(state.ema[x] for x in ('params', 'variables'))) != model.digest:
    raise ValueError('--filters=discriminator: the checkpoint whose generator can be read has '
                     'no whole state; name one by --step')
  only = lambda x: {'discriminator': x['discriminator']}
  return state._replace(params=only(state.params), variables=only(state.variables),
                        opt_state={}, ema={})


def _logits(model: trained.Trained, state: TrainState | None, x: filters.Candidates
            ) -> np.ndarray:
  logits = lambda state, x: model.run.logits(
      state, filters.to_float(x.images), *(() if x.labels is None else (x.labels,))).reshape(-1)
  return filters.scores(filters.Filter('logits', state, logits), x)
