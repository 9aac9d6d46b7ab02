"""Charts of queries whose rows mean more than a first column and a measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from domain.decimals import ONE
from projections.engine.query.quantiles import middle_of
from read_api.charts import market
from read_api.charts.columns import label
from read_api.charts.shapes import Rows
from read_api.charts.spec import DIGITS, Spec, amount, computed, instant, number, spec, time_axis, tips

Charts = Sequence[tuple[str, Spec]]
GAIN_LOSS = {"domainMid": 0, "range": "diverging", "interpolate": "lab"}
MRR = (("new_mrr", 1), ("expansion_mrr", 1), ("reactivated_mrr", 1), ("contraction_mrr", -1), ("churned_mrr", -1))
CURRENCY_MRR = (("currency_mrr", 1),)  # of MRR in several currencies, either way
FUNNEL_GROUPS = frozenset({"day", "week", "month", "subject"})
LIFE = (("new_users", 1), ("returning_users", 1), ("resurrected_users", 1), ("dormant_users", -1))


def _signed_bars(along: str, parts: Sequence[tuple[str, int]]) -> Spec:
    """What came above the line, what went below it."""
    names = [label(name) for name, _ in parts]
    values = [number(name, label(name), "-" if sign < 0 else "") for name, sign in parts]
    unit, form = ("utcyearmonth", "%b %Y") if along == "month" else ("utcyearmonthdate", "%-d %b")
    encoding = {
        "x": {
            "field": "x",
            "type": "ordinal",
            "timeUnit": unit,
            "title": None,
            "axis": {"format": form, "labelAngle": 0},
        },
        "y": amount("y"),
        "color": {"field": "what", "type": "nominal", "sort": names},
        "tooltip": tips(("x", label(along), "utc"), ("what", "What", None), ("y", "Value", DIGITS)),
    }
    transform = [instant(along, "x"), *values, {"fold": names, "as": ["what", "y"]}]
    return spec(transform, mark={"type": "bar"}, encoding=encoding)


def _movements(rows: Rows) -> Charts:
    if "month" not in rows[0]:
        return _bridge(rows)
    return [
        (
            "What MRR won and lost in each month: new, expansion and return above, contraction and loss below",
            _signed_bars("month", _moved(rows)),
        )
    ]


def _moved(rows: Rows) -> Sequence[tuple[str, int]]:
    """What moved MRR; what rates of exchange moved only where they did."""
    moved = any(row.get("currency_mrr") not in (None, "0") for row in rows)
    return (*MRR, *CURRENCY_MRR) if moved else MRR


def _lifecycle(rows: Rows) -> Charts:
    along = next((name for name in ("day", "week", "month") if name in rows[0]), "week")
    return [(f"Users of each {along}: new, returning and back again above, gone below", _signed_bars(along, LIFE))]


def _bridge(rows: Rows) -> Charts:
    """From the MRR at the beginning to that at the end, step by step."""
    moves = _moved(rows)
    names = ["Start", *(label(name).removesuffix(" MRR") for name, _ in moves), "End"]
    parts = [number("start_mrr", "Start"), number("end_mrr", "End")]
    parts += [
        number(name, called, "-" if sign < 0 else "") for (name, sign), called in zip(moves, names[1:-1], strict=True)
    ]
    window = {"window": [{"op": "sum", "field": "moved", "as": "upto"}], "frame": [None, 0]}
    transform = [
        *parts,
        {"fold": names, "as": ["step", "amount"]},
        computed("datum.step == 'End' ? 0 : datum.amount", "moved"),
        window,
        computed("datum.step == 'End' || datum.step == 'Start' ? 0 : datum.upto - datum.amount", "below"),
        computed("datum.step == 'End' ? datum.amount : datum.upto", "above"),
        computed("datum.step == 'End' || datum.step == 'Start' ? 'MRR' : datum.amount < 0 ? 'less' : 'more'", "way"),
    ]
    encoding = {
        "x": {
            "field": "step",
            "type": "ordinal",
            "sort": names,
            "title": None,
            "axis": {"labelAngle": 0, "labelLimit": 80},
        },
        "y": {**amount("below"), "scale": {"zero": False}},
        "y2": {"field": "above"},
        "color": {"field": "way", "type": "nominal", "sort": ["MRR", "less", "more"]},
        "tooltip": tips(("step", "Step", None), ("amount", "Amount", DIGITS)),
    }
    return [
        (
            "MRR at the start, what moved it, and MRR at the end",
            spec(transform, mark={"type": "bar"}, encoding=encoding),
        )
    ]


def _equity(rows: Rows) -> Charts:
    x = instant("day", "x")
    curve = {"type": "area", "line": {"strokeWidth": 1.5}, "fillOpacity": 0.15, "clip": True}
    tip = tips(("x", "Day", "utc"), ("y", "Equity", DIGITS))
    equity = {"x": time_axis("x"), "y": amount("y", "Equity", zero=False), "tooltip": tip}
    below = {
        "x": time_axis("x"),
        "y": amount("y", "Below peak", "~%"),
        "tooltip": tips(("x", "Day", "utc"), ("y", "Below peak", ".1%")),
    }
    under = {"type": "area", "line": {"strokeWidth": 1}, "fillOpacity": 0.25, "color": {"expr": "loss"}}
    lost = spec(
        [x, number("underwater", "y")], mark=under, encoding=below, params=[{"name": "loss", "value": "#d55e00"}]
    )
    return [
        ("Equity by day", spec([x, number("equity", "y")], mark={**curve, "y2": {"expr": "height"}}, encoding=equity)),
        ("How far equity is below its highest, by day", lost),
    ]


MONTH_AND_YEAR = (("5, 7", "across"), ("0, 4", "down"))


def _time(rows: Rows, first_weekday: int) -> Charts:
    """Hours by weekdays from that one on (0 for Monday), or months by years of the calendar."""
    value = number("total_pnl", "value")
    colour = {
        "field": "value",
        "type": "quantitative",
        "scale": GAIN_LOSS,
        "legend": {"format": "~s", "gradientLength": 120},
    }
    tip = tips(("across", "", None), ("down", "", None), ("value", "P&L", DIGITS), ("total_trades", "Trades", ",d"))
    if "entry_hour" in rows[0]:
        day = "utcFormat(utc(2024, 0, 1 + datum.weekday), '%a')"  # that was a Monday; named as the reader names it
        hour = computed("datum.entry_hour < 0 ? '?' : toString(datum.entry_hour)", "across")
        place = computed(f"(datum.weekday + {7 - first_weekday}) % 7", "place")
        transform = [value, hour, computed(day, "down"), place]
        down: Spec = {"field": "down", "type": "ordinal", "sort": {"field": "place", "op": "min"}, "title": None}
        across = {
            "field": "across",
            "type": "ordinal",
            "sort": {"field": "entry_hour", "op": "min"},
            "title": "Hour of entry (?: not known)"
            if any(row["entry_hour"] == -1 for row in rows)
            else "Hour of entry",
            "axis": {"labelAngle": 0},
        }
        title = "Profit and loss by hour of entry and weekday of exit; blue is gain, vermilion loss"
    else:
        month, year = (computed(f"substring(datum.month, {part})", name) for part, name in MONTH_AND_YEAR)
        transform = [value, month, year]
        down = {"field": "down", "type": "ordinal", "title": None, "sort": "descending"}
        across = {"field": "across", "type": "ordinal", "title": "Month", "axis": {"labelAngle": 0}}
        title = "Profit and loss by month and calendar year; blue is gain, vermilion loss"
    encoding = {"x": across, "y": down, "color": colour, "tooltip": tip}
    return [(title, spec(transform, mark={"type": "rect"}, encoding=encoding))]


def _retention(rows: Rows) -> Charts:
    transform = [
        {"flatten": ["ages"], "as": ["each"]},
        computed("datum.each.age", "age"),
        computed("datum.each.rate", "rate"),
        {"filter": "isValid(datum.rate) && isValid(datum.cohort)"},
    ]
    encoding = {
        "x": {"field": "age", "type": "ordinal", "title": "Periods after the first", "axis": {"labelAngle": 0}},
        "y": {"field": "cohort", "type": "ordinal", "title": None, "sort": "descending"},
        "color": {
            "field": "rate",
            "type": "quantitative",
            "scale": {"scheme": "viridis", "domain": [0, 1]},
            "legend": {"format": ".0%", "gradientLength": 120},
        },
        "tooltip": tips(("cohort", "Cohort", None), ("age", "Age", ",d"), ("rate", "Came back", ".1%")),
    }
    return [("Share of each cohort that came back, by age", spec(transform, mark={"type": "rect"}, encoding=encoding))]


MOST_CURVES = 12


def _retention_curves(rows: Rows) -> Charts:
    """The newest cohorts, each a thin line, and the mean of all as a thick one."""
    cohorts = [str(row["cohort"]) for row in rows if row["cohort"] is not None][-MOST_CURVES:]
    ages = [
        {"flatten": ["ages"], "as": ["each"]},
        computed("datum.each.age", "age"),
        computed("datum.each.rate", "rate"),
    ]
    x = {"field": "age", "type": "quantitative", "title": "Periods after the first", "axis": {"tickMinStep": 1}}
    y = {**amount("rate", "Came back", ".0%"), "scale": {"domain": [0, 1]}}
    tip = tips(("cohort", "Cohort", None), ("age", "Age", ",d"), ("rate", "Came back", ".1%"))
    colour = {"field": "cohort", "type": "ordinal", "scale": {"scheme": "viridis"}}
    each = {
        "transform": [{"filter": {"field": "cohort", "oneOf": cohorts}}],
        "mark": {"type": "line", "strokeWidth": 1, "opacity": 0.8},
        "encoding": {"x": x, "y": y, "color": colour, "tooltip": tip},
    }
    mean = {
        "transform": [{"filter": "!isValid(datum.cohort)"}],
        "mark": {"type": "line", "strokeWidth": 3},
        "encoding": {"x": x, "y": y, "tooltip": tip[1:]},
    }
    title = (
        f"Share that came back by age: the mean of all cohorts as a thick line, the newest {len(cohorts)} as thin ones"
    )
    return [(title, spec([*ages, {"filter": "isValid(datum.rate)"}], layer=[each, mean]))]


def _excursions(rows: Rows) -> Charts:
    if all(row.get("max_adverse_excursion") is None for row in rows):
        return []
    transform = [
        number("max_adverse_excursion", "adverse"),
        number("max_favourable_excursion", "favourable"),
        computed("toNumber(datum.pnl) < 0 ? 'lost' : 'won'", "result"),
    ]
    colour = {"field": "result", "type": "nominal", "sort": ["won", "lost"], "scale": {"domain": ["won", "lost"]}}
    encoding = {
        "x": amount("adverse", "Worst on the way"),
        "y": amount("favourable", "Best on the way"),
        "color": colour,
        "shape": colour,
        "tooltip": tips(("symbol", "Symbol", None), ("adverse", "Worst", DIGITS), ("favourable", "Best", DIGITS)),
    }
    mark = {"type": "point", "size": 26, "opacity": 0.7}
    title = "How far each trade went against and for its holder before it ended"
    return _of_one_currency(rows, title, spec(transform, mark=mark, encoding=encoding))


def _of_one_currency(rows: Rows, title: str, drawn: Spec) -> Charts:
    """The chart; where its rows have several currencies, of the one that most of them have: they share no axis."""
    named = Counter(str(row.get("currency") or "") for row in rows)
    if len(named) < 2:
        return [(title, drawn)]
    ((code, _),) = named.most_common(1)
    only = {"filter": {"field": "currency", "equal": code}}
    words = f"in {code or 'no currency that is named'}, the most frequent of {len(named)} currencies; the table has all"
    return [(f"{title}, {words}", {**drawn, "transform": [only, *drawn["transform"]]})]


def _trade_results(rows: Rows) -> Charts:
    bins = {"maxbins": 50}
    encoding = {
        "x": {"field": "y", "type": "quantitative", "bin": bins, "title": "P&L of a trade", "axis": {"format": "~s"}},
        "y": {"aggregate": "count", "type": "quantitative", "title": "Trades", "axis": {"tickCount": 4}},
        "color": {"field": "way", "type": "nominal", "sort": ["gain", "loss"], "scale": {"domain": ["gain", "loss"]}},
        "tooltip": [{"bin": bins, "field": "y", "title": "P&L"}, {"aggregate": "count", "title": "Trades"}],
    }
    transform = [number("pnl", "y"), computed("datum.y < 0 ? 'loss' : 'gain'", "way")]
    drawn = spec(transform, mark={"type": "bar"}, encoding=encoding)
    return _of_one_currency(rows, "How many trades had which profit or loss", drawn)


def _active_days(rows: Rows) -> Charts:
    encoding = {
        "x": {"field": "days", "type": "ordinal", "title": "Days active out of 28", "axis": {"labelAngle": 0}},
        "y": amount("users", "Users", "~s"),
        "tooltip": tips(("days", "Days", ",d"), ("users", "Users", ",d")),
    }
    return [("How many users were active on so many days", spec([], mark={"type": "bar"}, encoding=encoding))]


def _durations(rows: Rows) -> Charts:
    """Buckets grow by two percent: ten of them make one bar."""
    middles = {row["bucket"]: middle_of(row["bucket"]) / ONE for row in rows if row["bucket"] is not None}
    lookup = "{" + ",".join(f"'{bucket}':{middle:.4g}" for bucket, middle in middles.items()) + "}"
    transform = [computed(f"({lookup})[datum.bucket]", "ms"), computed("floor(log(datum.ms) / log(1.25))", "step"),
                 {"aggregate": [{"op": "sum", "field": "count", "as": "n"}], "groupby": ["step"]},
                 computed("pow(1.25, datum.step)", "least"), computed("pow(1.25, datum.step + 1)", "most")]  # fmt: skip
    axis = {"format": "~s", "tickCount": 6}
    encoding = {
        "x": {
            "field": "least",
            "type": "quantitative",
            "scale": {"type": "log"},
            "title": "Milliseconds",
            "axis": axis,
        },
        "x2": {"field": "most"},
        "y": amount("n", "Operations"),
        "y2": {"datum": 0},
        "tooltip": tips(("least", "From, ms", ",.1f"), ("most", "To, ms", ",.1f"), ("n", "Operations", ",d")),
    }
    return [("How many operations took how long", spec(transform, mark={"type": "bar"}, encoding=encoding))]


def _forecast(rows: Rows) -> Charts:
    if not rows[0].get("finding"):
        return []
    transform = [
        {"flatten": ["finding.steps"], "as": ["step"]},
        computed("toDate(datum.step.day)", "x"),
        computed("datum.step.value", "y"),
        computed("datum.step.bands[0].low", "low80"),
        computed("datum.step.bands[0].high", "high80"),
        computed("datum.step.bands[1].low", "low95"),
        computed("datum.step.bands[1].high", "high95"),
    ]
    tip = tips(
        ("x", "Day", "utc"), ("y", "Forecast", DIGITS), ("low95", "95 % from", DIGITS), ("high95", "95 % to", DIGITS)
    )
    x = time_axis("x")

    def band(low: str, high: str, opacity: float) -> Spec:
        y = {**amount(low), "scale": {"zero": False}}
        return {"mark": {"type": "area", "opacity": opacity}, "encoding": {"x": x, "y": y, "y2": {"field": high}}}

    line = {
        "mark": {"type": "line"},
        "encoding": {"x": x, "y": {**amount("y", None), "scale": {"zero": False}}, "tooltip": tip},
    }
    layers = [band("low95", "high95", 0.15), band("low80", "high80", 0.25), line]
    return [("What is expected for the next days, with the bands of 80 and 95 percent", spec(transform, layer=layers))]


def _steps(rows: Rows) -> Charts:
    transform = [
        computed("datum.step + '. ' + datum.name", "what"),
        computed("format(datum.users, ',') + '  (' + format(datum.rate, '.0%') + ')'", "says"),
    ]
    axis = {"labelLimit": 160, "domain": False, "ticks": False}
    y = {"field": "what", "type": "ordinal", "title": None, "sort": None, "axis": axis}
    if group := next((name for name in rows[0] if name in FUNNEL_GROUPS), ""):
        colour = {"field": group, "type": "ordinal", "scale": {"scheme": "viridis"}, "title": label(group)}
        tip = tips(("what", "Step", None), (group, label(group), None), ("says", "Users", None))
        bar = {"y": y, "x": amount("users", "Users"), "color": colour, "tooltip": tip}
        title = f"How many users reach each step, by {label(group).lower()} of the first"
        return [(title, spec(transform, mark={"type": "bar"}, encoding=bar))]
    bar = {
        "mark": {"type": "bar", "opacity": 0.85},
        "encoding": {"y": y, "x": {"field": "users", "type": "quantitative", "axis": None}},
    }
    text = {
        "mark": {"type": "text", "align": "left", "dx": 4},
        "encoding": {"y": y, "x": {"field": "users", "type": "quantitative"}, "text": {"field": "says"}},
    }
    return [("How many users reach each step", spec(transform, layer=[bar, text]))]


def charts_of(kind: str, query: str, rows: Rows, first_weekday: int) -> Charts | None:
    """The charts of a kind that a query has of its own; None where it has none. `first_weekday`: 0 for Monday."""
    if (kind, query) == TIME:
        return _time(rows, first_weekday)
    return CHARTS[kind, query](rows) if (kind, query) in CHARTS else None


TIME = ("heat_map", "trading_time")
CHARTS: Mapping[tuple[str, str], Callable[[Rows], Charts]] = MappingProxyType(
    {
        ("stacked_bar", "mrr_movements"): _movements,
        ("waterfall", "mrr_movements"): _bridge,
        ("stacked_bar", "lifecycle"): _lifecycle,
        ("bar", "lifecycle"): _lifecycle,
        ("area", "trading_equity"): _equity,
        ("line", "trading_equity"): _equity,
        ("heat_map", "retention"): _retention,
        ("line", "retention"): _retention_curves,
        ("scatter", "trades"): _excursions,
        ("histogram", "trades"): _trade_results,
        ("histogram", "stickiness"): _active_days,
        ("histogram", "operation_buckets"): _durations,
        ("line", "forecast"): _forecast,
        ("area", "forecast"): _forecast,
        ("funnel", "funnel"): _steps,
        ("candles", "market_bars"): market.candles,
        ("line", "indicator"): market.indicator,
    }
)
