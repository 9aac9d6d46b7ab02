"""Exact amounts: what a result file says comes back to the last digit, for small prices and at the limits."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.decimals import LARGEST_PRODUCT, text_of
from eventlog.intake.json_mapping import from_json
from eventlog.publish.builders import account_flow, market_bar, trading_result
from eventlog.publish.event import Event
from eventlog.publish.record import record_of
from tests.projections.harness import ReadModels

CLOSED = 1_760_000_000_000  # 2025-10-09T08:53:20Z
MINUTE = CLOSED // 60_000 * 60_000
GRID = Decimal("1e-12")
WIDE = Context(prec=80)
FAULTS = Path(__file__).parent.parent / "data" / "faults"


def read(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a file of JSON lines, as the doors read it."""
    for line in lines:
        parsed = from_json(line.encode())
        yield Event.of(parsed.envelope, record_of(parsed.envelope, parsed.kind))


def plain(number: Decimal) -> str:
    """The shortest form."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def result_file(*, with_pnl: bool, as_text: bool) -> tuple[list[str], dict[str, tuple[Decimal, Decimal]]]:
    """Trades of 200 pairs against Bitcoin, prices of 8 digits; P&L and turnover of each pair by Python's decimals."""
    chance, lines = random.Random(7), list[str]()
    earned: dict[str, tuple[Decimal, Decimal]] = {}
    for number in range(1_000):
        symbol, side = f"COIN{number % 200}/BTC", chance.choice(("long", "short"))
        entry, leave = (Decimal(chance.randrange(1, 10**6)).scaleb(-8) for _ in range(2))
        quantity, fees = Decimal(chance.randrange(1, 10**9)).scaleb(-4), Decimal(chance.randrange(10**6)).scaleb(-12)
        gained = WIDE.multiply(leave - entry, quantity).quantize(GRID) * (1 if side == "long" else -1) - fees
        moved = WIDE.multiply(leave + entry, quantity).quantize(GRID)
        before = earned.get(symbol, (Decimal(0), Decimal(0)))
        earned[symbol] = before[0] + gained, before[1] + moved
        amounts = {"quantity": quantity, "entry_price": entry, "exit_price": leave, "fees": fees}
        amounts |= {"pnl": gained} if with_pnl else {}
        told = {name: f"{value:f}" if as_text else float(value) for name, value in amounts.items()}
        trade = {"trade_id": f"t{number}", "account_id": "a", "symbol": symbol, "side": side, "closed_at": CLOSED}
        event = {"message_type": "trading_result", "company_id": "acme", "user_id": "u", "payload": {**trade, **told}}
        lines.append(json.dumps(event))
    return lines, earned


@pytest.mark.parametrize("with_pnl", [False, True])
@pytest.mark.parametrize("as_text", [False, True])
async def test_a_bots_result_file_is_exact_by_pair(models: ReadModels, *, with_pnl: bool, as_text: bool) -> None:
    """Of 200 pairs against Bitcoin with 8-digit prices, as numbers or texts, to the last digit of each pair."""
    lines, earned = result_file(with_pnl=with_pnl, as_text=as_text)
    models.given(read(lines), batches_of=(300, 7))
    rows = await models.rows("trading_totals", by="symbol")
    assert {row["symbol"]: (row["total_pnl"], row["turnover"]) for row in rows} == {
        symbol: (plain(pnl), plain(moved)) for symbol, (pnl, moved) in earned.items()
    }
    (total,) = await models.rows("trading_totals")
    assert total["total_pnl"] == plain(sum((pnl for pnl, _ in earned.values()), Decimal(0)))
    (stored, *_) = await models.rows("trading_metrics", keys="total_pnl,turnover")
    assert stored["value"] == total["total_pnl"]


async def test_small_prices_and_quantities_keep_their_digits(models: ReadModels) -> None:
    """A coin of 0.00000843, a quantity of 0.0000005, and a price whose product left 64 bits."""
    models.given(read((FAULTS / "small-prices.ndjson").read_text().splitlines()))
    rows = await models.rows("trades", "small")
    told = {row["trade_id"]: (row["quantity"], row["entry_price"], row["exit_price"], row["pnl"]) for row in rows}
    assert told == {
        "pepe": ("100000000", "0.00000843", "0.00000921", "78"),
        "dust": ("0.0000005", "60000", "70000", "0.005"),
        "big": ("1", "576460752304", "576460752305", "1"),
    }


async def test_a_decimal_text_keeps_more_digits_than_a_double(models: ReadModels) -> None:
    """As JSON texts, and in protobuf beside the double: 27 digits come back; a JSON number says 15 of its own."""
    exact = {
        "quantity": "1",
        "entry_price": "0",
        "exit_price": "123456789012345.678901234567",
        "fees": "0.000000000001",
    }
    told = {"trade_id": "json", "account_id": "a", "symbol": "S", "side": "LONG", "closed_at": CLOSED, **exact}
    event = {"message_type": "trading_result", "company_id": "acme", "user_id": "u", "payload": told}
    models.given(read([json.dumps(event)]))
    models.given([trade(1, pnl=-123456789012345.67, pnl_text="-123456789012345.678901234567")])
    models.given([trade(2, pnl=0.1 + 0.2, quantity=12345.000000000002)])
    rows = {row["trade_id"]: row for row in await models.rows("trades")}
    assert rows["json"]["exit_price"] == "123456789012345.678901234567"
    assert rows["json"]["pnl"] == "123456789012345.678901234566"
    assert rows["t1"]["pnl"] == "-123456789012345.678901234567"
    assert (rows["t2"]["pnl"], rows["t2"]["quantity"]) == ("0.3", "12345")


def trade(number: int, **fields: Any) -> Event:
    """A long trade of one unit, but for these fields."""
    known = {"quantity": 1.0, "entry_price": 0.0, "exit_price": 0.0} | fields
    about: dict[str, Any] = {"company_id": "acme", "user_id": "u", "account_id": "a", "symbol": "S", "side": "long"}
    return trading_result(**about, trade_id=f"t{number}", closed_at=CLOSED, **known)


async def test_sums_at_the_limits(models: ReadModels) -> None:
    """Amounts of ±10^15 and products of 10^18 add up without wrapping round, in tables and in statistics."""
    most = 1e15
    models.given([trade(n, pnl=most if n % 3 else -most) for n in range(30)])
    models.given([trade(30 + n, exit_price=1e15, quantity=1000.0) for n in range(5)])
    flow: dict[str, Any] = {"company_id": "acme", "user_id": "u", "account_id": "a"}
    models.given([account_flow(**flow, amount=most, timestamp=CLOSED + n) for n in range(20)])
    (row,) = await models.rows("trading_totals")
    won = 20 * 10**15 + 5 * 10**18
    assert (row["total_pnl"], row["gross_profit"]) == (str(won - 10**16), str(won))
    assert (row["gross_loss"], row["largest_win"]) == (str(10**16), text_of(LARGEST_PRODUCT))
    assert row["turnover"] == str(5 * 10**18)
    (total,) = await models.rows("trading_metrics", keys="total_pnl")
    assert total["value"] == row["total_pnl"]
    (day,) = await models.rows("account_days")
    assert (day["flows"], day["pnl"]) == (str(20 * 10**15), row["total_pnl"])


async def test_contracts_and_prices_below_zero(models: ReadModels) -> None:
    """Oil on 20 April 2020: one contract of 1,000 barrels, bought at 10.01 and sold at −37.63."""
    models.given([trade(1, entry_price=10.01, exit_price=-37.63, multiplier=1000.0, fees=2.5)])
    (row,) = await models.rows("trading_totals")
    assert (row["total_pnl"], row["turnover"]) == ("-47642.5", "47640")
    (kept,) = await models.rows("trades")
    assert (kept["multiplier"], kept["exit_price"], kept["pnl"]) == ("1000", "-37.63", "-47642.5")
    (turnover,) = await models.rows("trading_metrics", keys="turnover")
    assert turnover["value"] == "47640"


async def test_indicators_of_tiny_prices_have_values(models: ReadModels) -> None:
    """RSI of closes around 0.00001: they differ, so it is none of a flat window."""
    closes = [(1_000 + n * 7 % 13) / 1e8 for n in range(40)]
    bars = (dict[str, Any](open=c, high=c, low=c, close=c, volume=1.0) for c in closes)
    of: dict[str, Any] = {"company_id": "acme", "symbol": "PEPE/USDT", "interval": "1m"}
    models.given(market_bar(**of, start=MINUTE + n * 60_000, **bar) for n, bar in enumerate(bars))
    rows = await models.rows("indicator", symbol="PEPE/USDT", interval="1m", indicator="rsi", lead="0")
    values = [row["rsi"] for row in rows]
    assert values[:14] == [None] * 14
    assert all(0 < value < 100 for value in values[14:])
