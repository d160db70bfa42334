"""Which samples enter a data set, and who labels them."""
from collections.abc import Sequence
import hashlib
import os
import pathlib
from typing import NamedTuple, TYPE_CHECKING

if TYPE_CHECKING:
  from jaxsynth.runs import Trained  # which loads Orbax

FILTERS = ('discriminator', 'classifier', 'realism', 'density', 'copies', 'duplicates')


class Selection(NamedTuple):
  """Filters and pseudo-labels; by default neither, and every sample enters.

  Attributes:
    filters: some of `FILTERS`, each once; what does not pass all of them is drawn again.
    keep: the share of held-out real images that each lets pass, in (0, 1]; `copies` and
      `duplicates` let all of them pass.
    gamma: of `discriminator`: its threshold is this percentile, in [0, 100], of its scores of
      samples; `None` for `keep`.
    attempts: candidates a sample, on average, before it is given up.
    pseudo_labels: whether images are labelled as a classifier of real ones does, not as they
      were asked for.
    classifier: the `.classifier.npz` of a data set, for the filter and for pseudo-labels;
      `None` to train one on what the model learned from.
  """
  filters: Sequence[str] = ()
  keep: float = .95
  gamma: float | None = None
  attempts: int = 64
  pseudo_labels: bool = False
  classifier: str | os.PathLike | None = None

  @property
  def needs_labeller(self) -> bool:
    """Whether a classifier is at work."""
    return 'classifier' in self.filters or self.pseudo_labels

  @property
  def classifier_sha256(self) -> str | None:
    """Of the file, for records; `None` where there is none."""
    if self.classifier is None:
      return None
    return hashlib.sha256(pathlib.Path(self.classifier).expanduser().read_bytes()).hexdigest()


def check(selection: Selection, model: 'Trained') -> None:
  """Holds that a selection makes sense for a model, before any work.

  Raises:
    ValueError: it does not; it says what does.
  """
  names = selection.filters
  if set(names) - set(FILTERS) or len(set(names)) != len(names):
    raise ValueError(f'--filters={",".join(names)}: expected some of {FILTERS}, each once')
  if 'discriminator' in names and model.run.logits is None:
    others = ', '.join(name for name in FILTERS if name != 'discriminator')
    raise ValueError('--filters=discriminator: this run has none that could judge its images; '
                     f'for it there are {others}')
  if 'discriminator' in names and model.run.packing > 1:
    raise ValueError('--filters=discriminator: that of this run judges packs of images')
  if selection.gamma is not None and 'discriminator' not in names:
    raise ValueError('--gamma is of --filters=discriminator')
  if selection.classifier is not None and not selection.needs_labeller:
    raise ValueError('--classifier is of --filters=classifier and --pseudo_labels')
  conditional = model.run.num_classes is not None
  if 'classifier' in names and selection.pseudo_labels and conditional:
    raise ValueError('--pseudo_labels: with --filters=classifier every label is the '
                     "classifier's already; leave one of them out")
