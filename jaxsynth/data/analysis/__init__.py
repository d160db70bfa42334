"""What a data set is like, and what is wrong with it, before anything is trained on it."""
from jaxsynth.data.analysis.comparison import Comparison
from jaxsynth.data.analysis.findings import Advice, Finding
from jaxsynth.data.analysis.full_analysis import Analysis, analyze, to_json
from jaxsynth.data.analysis.raw import RawSource, raw_npz
from jaxsynth.data.analysis.set_analysis import SetAnalysis
from jaxsynth.data.analysis.sources import open_sets

__all__ = ('Advice', 'Analysis', 'Comparison', 'Finding', 'RawSource', 'SetAnalysis', 'analyze',
           'open_sets', 'raw_npz', 'to_json')
