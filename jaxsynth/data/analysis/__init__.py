"""What a data set is like, and what is wrong with it, before anything is trained on it."""
from jaxsynth.data.analysis.analyze import Analysis, analyze, to_json
from jaxsynth.data.analysis.findings import Advice, Finding
from jaxsynth.data.analysis.raw import RawSource, raw_npz
from jaxsynth.data.analysis.scan import Scan, scan

__all__ = ('Advice', 'Analysis', 'Finding', 'RawSource', 'Scan', 'analyze', 'raw_npz', 'scan',
           'to_json')
