"""How other tools compute the statistics that they name alike: one file a tool, its forms by the key of the statistic.

A statistic that a file does not list is computed there as it is here. Where a tool writes a sentinel for what is
undefined (−100, 0, infinity, NaN), the answer here stays null with its reason: conventions change formulas, not that.
"""
