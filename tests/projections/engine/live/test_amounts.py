"""Amounts of live windows: of one currency, which is named, or none."""

from __future__ import annotations

from tests.projections.engine.live.test_windows import BEGIN, Lane, trade


def test_amounts_of_several_currencies_are_no_sum() -> None:
    """A window names the currency of its trades; of several, amounts are null and counts stand, until it is over."""
    lane = Lane()
    lane.follow()
    lane.follow(by=("currency",))
    lane.take(trade(BEGIN + 1, 5, number=1, currency="USD"))
    assert lane.newest(BEGIN)["currency"] == "USD"
    lane.take(trade(BEGIN + 2, 700, number=2, currency="JPY"))
    (whole,) = [m for m in lane.said if m["currency"] is None and len(m["rows"]) == 1 and m["rows"][0]["total_trades"]][
        -1:
    ]
    (row,) = whole["rows"]
    assert (row["total_trades"], row["win_rate"], row["total_pnl"], row["expectancy"]) == (2, 1.0, None, None)
    assert row["reasons"]["total_pnl"] == row["reasons"]["expectancy"] == "mixed_currencies"
    apart = [m["rows"] for m in lane.said if len(m["rows"]) == 2][-1]
    assert [(each["currency"], each["total_pnl"]) for each in apart] == [("JPY", "700"), ("USD", "5")]
