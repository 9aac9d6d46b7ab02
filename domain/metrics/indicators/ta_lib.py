"""TA-Lib, loaded when the first indicator is computed, and without what its package would load along.

`import talib` imports Polars and Pandas where they are installed, to wrap its functions for their series: 110 MB
and 0.5 s for nothing here, where columns are arrays, and API processes hold no data frames.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

SMA = 0  # TA-Lib's number of the simple moving average, where a function lets choose
FRAMES = ("polars", "pandas")


@lru_cache(maxsize=1)
def ta_lib() -> Any:
    """The module of TA-Lib's functions."""
    hidden: dict[str, Any] = {name: None for name in FRAMES if name not in sys.modules}
    sys.modules.update(hidden)  # None makes an import fail as if the package were not installed
    try:
        import talib
    finally:
        for name in hidden:
            del sys.modules[name]
    return talib
