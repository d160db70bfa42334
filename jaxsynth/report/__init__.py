"""One self-contained HTML page: tables, figures, pictures, scores; no network.

Drawing needs `pip install 'jaxsynth[report]'`; nothing of it is loaded before it is
used.
"""
from jaxsynth.report.bar_chart import bars
from jaxsynth.report.charts import binned, curve, histograms, scatter
from jaxsynth.report.html import render, write
from jaxsynth.report.heat_maps import maps
from jaxsynth.report.page import (Code, Figure, Item, Links, Note, Page, Score,
                                  Scores, Section, Table)
from jaxsynth.report.pictures import image_grid, pairs
from jaxsynth.report.strip_chart import strips

__all__ = ('Code', 'Figure', 'Item', 'Links', 'Note', 'Page', 'Score', 'Scores', 'Section',
           'Table', 'bars', 'binned', 'curve', 'histograms', 'image_grid', 'maps', 'pairs',
           'render', 'scatter', 'strips', 'write')
