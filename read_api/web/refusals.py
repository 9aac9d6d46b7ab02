"""Pages for what cannot be shown: who is not signed in gets the way in, everything else says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from domain.problem_documents import Problem
from read_api.web.forms import own_path
from read_api.web.rendering import HTML, PAGE_HEADERS, rendered

SIGNED_OUT = 401


def refusal(problem: Problem, page_before: str) -> tuple[Mapping[str, str], bytes]:
    """Headers and page of a problem. `page_before`: where the form stands that was sent, empty where none was."""
    headers = {**PAGE_HEADERS, "Content-Type": HTML}
    if problem.status == SIGNED_OUT:
        said = "" if problem.code == "signed_out" else problem.detail
        return headers, rendered(
            "sign_in.html", said=said, correlation_id=problem.correlation_id, path=problem.instance
        )
    return headers, rendered("refusal.html", problem=problem, back=own_path(page_before) if page_before else "")
