"""A source of data sets on this machine, that gives what a test wants it to give."""
import contextlib
import gzip
import hashlib
import http.server
import struct
import threading

import numpy as np

from jaxsynth.data.fetch import Expected

FILES = {('train', 'image'): 'train-images-idx3-ubyte.gz',
         ('train', 'label'): 'train-labels-idx1-ubyte.gz',
         ('test', 'image'): 't10k-images-idx3-ubyte.gz',
         ('test', 'label'): 't10k-labels-idx1-ubyte.gz'}
NOBODY = 'http://127.0.0.1:9'  # no server listens on the port of discard


def idx(x):
  """An array as an idx file."""
  return gzip.compress(bytes([0, 0, 8, x.ndim]) + struct.pack(f'>{x.ndim}I', *x.shape) +
                       x.astype(np.uint8).tobytes(), mtime=0)


def idx_files(batches):
  """The examples of two splits in MNIST's four files: name -> bytes."""
  contents = {}
  for split, batch in batches.items():
    contents[FILES[split, 'image']] = idx(batch['image'][..., 0])
    contents[FILES[split, 'label']] = idx(batch['label'])
  return contents


def expected(contents):
  """What those files must be."""
  return {name: Expected(len(x), hashlib.sha256(x).hexdigest()) for name, x in contents.items()}


@contextlib.contextmanager
def served(contents, *, code=200, cut=0):
  """A server of files: its address, and the names that it was asked for.

  Args:
    contents: name -> bytes; another name is not there.
    code: of its answers to names that are there.
    cut: bytes that it keeps back of each file.
  """
  asked = []

  class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
      name = self.path.strip('/')
      asked.append(name)
      if name not in contents:
        return self.send_error(404)
      if code != 200:
        return self.send_error(code)
      self.send_response(200)
      self.send_header('Content-Length', str(len(contents[name])))
      self.end_headers()
      self.wfile.write(contents[name][:len(contents[name]) - cut])

    def log_message(self, *_):
      pass

  with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': .01})
    thread.start()
    try:
      yield f'http://127.0.0.1:{server.server_port}', asked
    finally:
      server.shutdown()
      thread.join()
