"""A client of the analytics service: typed calls of every RPC, streams that resume by themselves, publishing."""

from analytics_client.client import AnalyticsClient
from analytics_client.errors import AnalyticsError

__all__ = ["AnalyticsClient", "AnalyticsError"]
