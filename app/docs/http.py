"""docs/reference/http.md, from the OpenAPI description, the table of errors, and the set of metrics."""

from __future__ import annotations

from app.docs.markdown import document, table
from app.docs.openapi import document as openapi_document
from domain.problem_documents import STATUS, STATUS_OF_CODE
from read_api.health.prometheus import Metric
from read_api.live.feeds import REMEMBERED
from read_api.live.sessions import MOST_ROWS, MOST_SUBSCRIPTIONS
from read_api.live.websocket import (
    OTHER_CALLER,
    RECHECK,
    REFUSED,
    SEND_PATIENCE,
    TOO_OFTEN,
    TOO_SLOW,
)

INTRODUCTION = """# HTTP

Two APIs, described together in [analytics_api.yaml](../../proto/http/analytics_api.yaml) (OpenAPI 3.1). Every path
below `/api` wants `Authorization: Bearer <token>` (`analytics token` makes one), except `GET /api/v1/health`, which
tells strangers only whether the service lives and is ready.

Each API serves its part of the description as `/openapi.json`, and as a page on which all of it is read and tried,
`/api`: paste a token, fill the fields in, send. Both are served without a token, and load nothing from elsewhere.
"""

ANSWERS = """## What every read answers

`GET /api/v1/query/{name}?company=…` answers what `analytics query` answers: `query`, `definition_version`, `position`,
`as_of`, `complete`, `lag_ms`, `rows`. `X-Position`, `X-Lag-Ms`, `X-Definition-Version` and `X-Correlation-Id` say the
same in headers. Send `X-Min-Position` with a position token (of an ingest, for example) and the answer has at least
that position: the read waits for at most `ANALYTICS_POSITION_WAIT` seconds, then it is a 412. An older answer never
passes for a new one.

Both APIs take `traceparent` and `tracestate` (W3C trace context) or begin a trace, and answer it as `traceresponse`:
[follow one request](../how-to/follow-one-request.md). A query that needs another right than `dashboards` says so in
`GET /api/v1/query`.

A token of tier FREE sees the last 30 days: where a query has a parameter `from`, it begins there.
"""

PROBLEMS = """## Problems

Errors are problem documents (RFC 9457, `application/problem+json`) with `type`, `title`, `status`, `detail`,
`instance`, `code`, `correlation_id`, `service` and `suggested_actions`. `code` is stable; the status follows from this
table:
"""

LIVE = f"""## WebSocket /api/v1/live

JSON messages, or protobuf ([live.proto](../../proto/services/live.proto)) with the same content: the WebSocket
subprotocol `analytics.v1.json`, which is also what is spoken where none is named, or `analytics.v1.protobuf`. The first
message brings the token; a later one of the same form renews it without reconnecting.

```json
{{"type": "token", "token": "…"}}
{{"type": "subscribe", "id": "a", "query": "trading_totals", "company": "acme", "params": {{"by": "symbol"}}}}
{{"type": "subscribe", "id": "m", "metric": "win_rate", "company": "acme"}}
{{"type": "subscribe", "id": "d", "dashboard": "trading", "company": "acme", "params": {{"symbol": "AAPL"}}}}
{{"type": "subscribe", "id": "l", "live": "trading.total_pnl", "company": "acme", "params": {{"width": "5m"}}}}
{{"type": "subscribe", "id": "p", "watch": "pipeline", "max_rate": 1, "resume": "…"}}
{{"type": "unsubscribe", "id": "a"}}
```

The server answers `welcome`, then for each subscription one `snapshot` (`answer` is what HTTP would answer), and a
`delta` when something has changed, at most four a second (fewer with `max_rate`, frames a second), at least every two
seconds, if only to say how fresh the answer is; of a live window (`GET /api/v1/realtime`) as soon as it moves. A slow
reader gets the newest answer, as one delta, and misses those in between; of what is sent nothing waits but the newest.
`watch: pipeline` follows the figures of health. What goes wrong with one subscription is an `error` with its `id` and a
`problem`; the connection goes on. An answer that is followed has {MOST_ROWS:,} rows at most (`too_many_rows`). A
connection may have {MOST_SUBSCRIPTIONS} subscriptions, a tenant as many over all its connections as its tier opens, and
no more connections than that (`analytics access`).

```json
{{"type": "delta", "id": "a", "token": "…", "delta": {{"set": {{"position": "…"}}, "unset": ["next_cursor"],
  "lists": {{"rows": {{"key": ["symbol"], "removed": [["AAPL"]],
    "changed": [[["MSFT"], {{"set": {{"total_trades": 8}}}}]],
    "added": [[2, {{"symbol": "TSLA", "total_trades": 1}}]]}}}}}}}}
```

To apply a delta: set and unset members; of each list, take out the rows whose values of the `key` columns are
`removed`, change those that are `changed` in the same way, then put the `added` ones in at their places, in the order
given. What comes out is what a snapshot would be, byte for byte in canonical form (members sorted, no blanks).

`snapshot` and `delta` have a `token`. Who lost the connection subscribes with the last one as `resume`, and gets a
`delta` of what has changed since; or a `snapshot` whose `resume` says why: `new_epoch` (the server knows nothing of the
feed any more: another process, or {REMEMBERED:g} s without a follower), `too_old` (it remembers less far back), or
`other_caller` (the token was given to somebody else).

A token renews one of the same subject and companies. With it, every {RECHECK:g} s and when a configuration changes, the
token and every subscription are judged anew: what is no longer allowed gets `ended` with its `id` and a `problem`, what
is another question now begins again with a `snapshot`. A sign-in and a renewal count as reads of the tenant.

| close code | why |
|---|---|
| {REFUSED} | No valid token came, or it has ended or was withdrawn |
| {OTHER_CALLER} | A token of somebody else, or of other companies, came as a renewal |
| {TOO_SLOW} | A message was not taken within {SEND_PATIENCE:g} s |
| {TOO_OFTEN} | The tenant asks too often to sign in now |
| 1013 | Who is asking cannot be told or noted now: try again later |
"""

METRICS = """## Metrics

`GET /metrics` in the Prometheus text format, with a token. The set is closed and names no tenant:
"""


def http_page() -> str:
    """Operations, answers, problems, live messages, metrics."""
    paths = openapi_document()["paths"]
    operations = [
        (f"`{method.upper()} {path}`", operation["summary"])
        for path, item in paths.items()
        for method, operation in item.items()
    ]
    problems = [(kind.code, str(status), title) for kind, (status, title) in STATUS.items()]
    metrics = [
        (f"`{m.value.name}`", m.value.kind, ", ".join(m.value.labels), m.value.meaning.rstrip(".")) for m in Metric
    ]
    return document(
        INTRODUCTION,
        table(("operation", "what it does"), operations),
        ANSWERS,
        PROBLEMS,
        table(("error", "status", "title"), problems),
        "Codes with a status of their own:",
        table(("code", "status"), ((code, str(status)) for code, status in STATUS_OF_CODE.items())),
        LIVE,
        METRICS,
        table(("metric", "type", "labels", "meaning"), metrics),
    )
