"""The insights there are: one structure for each kind."""

from __future__ import annotations

from domain.insights.anomalies import Anomalies
from domain.insights.change_points import ChangePoints
from domain.insights.churn import Churn
from domain.insights.drivers import Drivers
from domain.insights.forecast import Forecast
from domain.insights.growth import Growth
from domain.insights.lifetime_value import LifetimeValue
from domain.insights.peers import Standing
from domain.insights.recommendations import Recommendation
from domain.insights.retention import Retention
from domain.insights.seasonality import Seasonality
from domain.insights.survival import Survival
from domain.insights.trend import Trend

Insight = (
    Trend
    | ChangePoints
    | Growth
    | Seasonality
    | Anomalies
    | Forecast
    | Drivers
    | Churn
    | LifetimeValue
    | Survival
    | Retention
    | Standing
    | Recommendation
)
