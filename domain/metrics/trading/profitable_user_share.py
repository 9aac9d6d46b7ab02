"""Share of the users with at least one closed trade whose trades together earned money (Σp > 0), a fraction.

Input: the total P&L of each user who traded. Null: no_trades (nobody traded).
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.whole import Whole
from domain.metrics.value import Reason, Stat, ratio


def profitable_user_share(pnl_of_users: Whole) -> Stat:
    """Users with Σp > 0 / users who traded."""
    return ratio(int(np.count_nonzero(pnl_of_users > 0)), pnl_of_users.size, Reason.NO_TRADES)
