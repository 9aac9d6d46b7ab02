"""Signing in and out: a token is exchanged once for the cookie of a session, which no script can read."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from litestar import Request, Response, post

from domain.access.limits import Use
from domain.access.rights import Principal
from domain.audit import NOBODY, SYSTEM, Action, Actor, Door, Note, outcome_of, tenant_of
from domain.errors import AnalyticsError, Unauthenticated
from domain.request import correlation
from domain.request.caller import OPEN, PAGE
from domain.request.session_cookie import SECURE, cookie_name, session_of
from read_api.http.request import HttpRequest, asked_at
from read_api.services import ReadServices
from read_api.web.forms import HOME, gone_to, own_path, read_form

SET = "Set-Cookie"


@post("/sign-in", status_code=303, include_in_schema=False, opt={OPEN: True, PAGE: True})
async def sign_in(request: Request[Any, Any, Any]) -> Response[None]:
    """Begin a session with the token of a form, and go where it says. Raises Unauthenticated for a bad token."""
    side: ReadServices = request.app.state.side
    form = await read_form(request)
    principal = None
    try:
        await side.trail.admit()
        principal = side.authenticate(form.get("token", "").strip())
        side.rates.admit(principal, Use.READS, time.monotonic())
        session = await side.sessions.begin(form["token"].strip(), principal.expires_at)
    except AnalyticsError as error:
        side.trail.note(_note(principal, error))
        raise
    await _leave(request, side)  # whoever signs in anew is nobody else any more
    side.trail.note(_note(principal, None))
    return gone_to(own_path(form.get("next", "")), **{SET: _cookie(request, session, principal.expires_at)})


@post("/sign-out", status_code=303, include_in_schema=False, opt={PAGE: True})
async def sign_out(request: HttpRequest) -> Response[None]:
    """End the session here, and take the cookie away."""
    await _leave(request, request.app.state.side)
    return gone_to(HOME, **{SET: _cookie(request, "", 0.0)})


async def _leave(request: Request[Any, Any, Any], side: ReadServices) -> None:
    with suppress(Unauthenticated):
        await side.sessions.end(session_of(request.scope["headers"], request.scope["scheme"]))


def _cookie(request: Request[Any, Any, Any], session: str, expires_at: float) -> str:
    """The cookie: not for scripts, not for requests of other sites, over TLS alone where there is TLS."""
    scheme = request.scope["scheme"]
    name, secure = cookie_name(request.scope["headers"], scheme), "; Secure" if scheme in SECURE else ""
    left = max(0, int(min(expires_at - asked_at(request).timestamp(), 400 * 86_400)))  # browsers keep none longer
    return f"{name}={session}; Path=/; Max-Age={left}; HttpOnly; SameSite=Strict{secure}"


def _note(principal: Principal | None, error: AnalyticsError | None) -> Note:
    actor = NOBODY if principal is None else Actor.of(principal)
    company = SYSTEM if principal is None else tenant_of(principal.companies, "")
    outcome, code = outcome_of(error)
    return Note(
        actor, Action.SIGN_IN, "pages", Door.HTTP, company, outcome, code, correlation_id=correlation.current.get()
    )
