"""The pages of each study: what is shown of an analysis, an evaluation, a downstream study."""
