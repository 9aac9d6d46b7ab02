"""Problem documents of the read API."""

from __future__ import annotations

from domain import problem_documents
from domain.errors import AnalyticsError
from domain.problem_documents import Problem

SERVICE = "read-api"


def problem(error: AnalyticsError, correlation_id: str, instance: str) -> Problem:
    """The problem document of a domain error, as this API tells it."""
    return problem_documents.problem(error, correlation_id, instance, SERVICE)
