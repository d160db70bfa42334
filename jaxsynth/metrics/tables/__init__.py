"""Scores of the rows of tables, on whole rows `[N, C]` of real and synthetic tables.

A row holds a number a column, as `jaxsynth.kinds.columns.checked_rows` has them: numbers, whole
numbers and days as they are, classes as positions in their categories, NaN where a value is
missing. What is to be foretold is a column like the others. Import the score that is needed:

    from jaxsynth.metrics.tables import detection, shapes, trends
    shapes.shape(train, synthetic, schema).mean
    trends.trend(train, synthetic, schema).mean
    detection.detection(train, synthetic, schema, 'boosting')

`closest` and `copies` look for train rows among the synthetic ones, `rules` for rows that cannot
be, and `usefulness` trains classifiers on the rows.
"""
