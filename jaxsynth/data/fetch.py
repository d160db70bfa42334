"""A file from the web, whole and as expected, or not at all."""
from collections.abc import Iterator, Sequence
import http.client
import os
import pathlib
from typing import NamedTuple
import urllib.error
import urllib.parse
import urllib.request

from jaxsynth import files

TIMEOUT = 10  # seconds without an answer
CHUNK = 2 ** 16  # bytes


class Expected(NamedTuple):
  """What a file must be.

  Attributes:
    size: bytes.
    sha256: of them, in hexadecimal digits.
  """
  size: int
  sha256: str


class FetchError(OSError):
  """No address gave the file; the message has a line for each, with what was wrong."""


def fetch(path: str | os.PathLike, addresses: Sequence[str], expected: Expected) -> None:
  """Brings a file from the first of some addresses that has it.

  A file that is there already, and is what is expected, stays: nothing is asked of any address.

  Args:
    path: the name that it takes, in a folder that exists, once it is whole.
    addresses: `http`, `https` or `file` URLs, tried in order. Proxies are those of the
      environment.
    expected: its size and digest; what is another is not kept.

  Raises:
    FetchError: none has it.
    OSError: it cannot be written, or the disk has no room for it.

  >>> import hashlib, tempfile
  >>> with tempfile.TemporaryDirectory() as d:
  ...   there = pathlib.Path(d, 'there')
  ...   _ = there.write_bytes(b'whole')
  ...   fetch(pathlib.Path(d, 'here'), ['file:///nowhere', there.as_uri()],
  ...         Expected(5, hashlib.sha256(b'whole').hexdigest()))
  ...   pathlib.Path(d, 'here').read_bytes()
  b'whole'
  """
  path = pathlib.Path(path)
  problems = []
  if path.exists():
    difference = _difference(path, expected)
    if difference is None:
      return
    problems.append(f'\n  {path}: {difference}')
  files.remove_torn(path)
  files.check_room(path.parent, expected.size, path.name)
  for address in addresses:
    try:
      with files.write_aside(path) as f:
        for chunk in _chunks(address, expected.size):
          f.write(chunk)
        f.flush()
        difference = _difference(pathlib.Path(f.name), expected)
        if difference is not None:
          raise FetchError(difference)
      return
    except FetchError as error:
      problems.append(f'\n  {address}: {error}')
  raise FetchError(f'{path.name}:' + ''.join(problems))


def check_reachable(address: str) -> None:
  """Holds that a URL's host answers, be it that there is no such page.

  Raises:
    FetchError: it does not, within seconds.
  """
  try:
    with _opened(urllib.request.Request(address, method='HEAD')):
      return
  except urllib.error.HTTPError as error:
    error.close()
  except (OSError, http.client.HTTPException, ValueError) as error:
    raise FetchError(f'\n  {address}: {_reason(address, error)}') from error


def _chunks(address: str, size: int) -> Iterator[bytes]:
  """What an address gives; of more bytes than expected the first that is too many ends it."""
  try:
    with _opened(urllib.request.Request(address)) as answer:
      left = size + 1
      while left > 0 and (chunk := answer.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk
  except urllib.error.HTTPError as error:
    error.close()
    raise FetchError(f'HTTP {error.code} {error.reason}') from error
  except (OSError, http.client.HTTPException, ValueError) as error:
    raise FetchError(_reason(address, error)) from error


def _opened(request: urllib.request.Request) -> http.client.HTTPResponse:
  if request.type not in ('http', 'https', 'file'):
    raise ValueError('expected a URL of http, https or file')
  # not urlopen, which keeps the proxies of its first call
  return urllib.request.build_opener().open(request, timeout=TIMEOUT)


def _reason(address: str, error: Exception) -> str:
  """What was wrong, and the proxy that it may lie in."""
  reason = getattr(error, 'reason', None) or str(error) or type(error).__name__
  url = urllib.parse.urlsplit(address)
  proxy = urllib.request.getproxies().get(url.scheme)
  if not proxy or urllib.request.proxy_bypass(url.hostname or ''):
    return str(reason)
  without_password = proxy.rpartition('@')[2]
  return f'{reason}, through the proxy {without_password}'


def _difference(path: pathlib.Path, expected: Expected) -> str | None:
  """How a file is not what is expected; `None` if it is."""
  size = path.stat().st_size
  if size != expected.size:
    more = 'more than' if size > expected.size else f'{size:,} bytes, not'
    return f'{more} {expected.size:,} bytes; another file, or cut off'
  digest = files.sha256(path)
  return None if digest == expected.sha256 else (
      f'another file, or damaged: its SHA-256 is {digest}, not {expected.sha256}')
