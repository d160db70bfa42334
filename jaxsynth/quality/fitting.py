"""A data set's filters at their operating point: fitted once, and read by whoever comes later."""
import json
from typing import NamedTuple

from jaxsynth import files
from jaxsynth.quality.filter_table import KINDS, Record
from jaxsynth.quality.material import Material
from jaxsynth.synthesis.filters import Filter


class FittedFilters(NamedTuple):
  """Filters, ready to use.

  Attributes:
    filters: in order.
    unlike: the distance that two samples of a shard keep, or `None`.
    records: for each name, how it was fitted and what it keeps of real images and of samples.
  """
  filters: list[Filter]
  unlike: float | None
  records: dict[str, Record]

  @property
  def lines(self) -> list[str]:
    """A line about each."""
    shares = lambda record: ''.join(f', {record[key]:.1%} of {key.removeprefix("kept_of_")}'
                                    for key in ('kept_of_validation', 'kept_of_samples')
                                    if key in record)
    return [f'filter {name}: threshold {record["threshold"]:.4g}{shares(record)}'
            for name, record in self.records.items()]


def fit_filters(material: Material) -> FittedFilters:
  """Fits the selection's filters, or reads what another worker or an earlier run fitted.

  What depends on the machine (thresholds, the classifier's weights) is written beside the
  data, and whoever comes later reads it: all shards pass the same filters.

  Args:
    material: of the data set, whose folder exists.

  Raises:
    ValueError: a discriminator that says nothing, or a checkpoint without one; data that
      cannot be scored.
    OSError: the folder cannot be written.
  """
  path = material.order.folder / '.filters.json'
  made: dict[str, Filter | None] = {}
  fitted_here: dict[str, Record] = {}
  if not path.exists():
    for name in material.selection.filters:
      kind = KINDS[name]
      prepared = kind.prepare(material)
      made[name] = kind.make(material, prepared)
      fitted_here[name] = kind.fit(material, made[name], prepared)
    with files.write_aside(path, exclusive=True) as f:
      f.write(json.dumps(fitted_here, indent=2, allow_nan=False).encode() + b'\n')
  records = json.loads(path.read_text(encoding='utf-8'))  # of whoever was first
  ready, unlike = [], None
  for name in material.selection.filters:
    record = records[name]
    same = fitted_here.get(name) == record
    fitted = made[name] if same else KINDS[name].make(material, record)
    if fitted is None:
      unlike = record['threshold']
    else:
      ready.append(fitted._replace(threshold=record['threshold']))
  return FittedFilters(ready, unlike, records)
