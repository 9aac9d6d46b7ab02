"""Technical indicators on bars: TA-Lib where it has them, the rest here; one catalogue (`catalogue.INDICATORS`).

Warm-up and what is undefined is null. Fed bar by bar or whole, the values of a bar are the same: no indicator looks
ahead, and none depends on how many bars follow.
"""
