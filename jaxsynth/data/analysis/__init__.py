"""What a data set is like, and what is wrong with it, before anything is trained on it."""
from jaxsynth.data.analysis.findings import Advice, Finding
from jaxsynth.data.analysis.raw import RawSource, raw_npz
from jaxsynth.data.analysis.whole import Analysis, analyze, to_json

__all__ = ('Advice', 'Analysis', 'Finding', 'RawSource', 'analyze', 'raw_npz', 'to_json')
