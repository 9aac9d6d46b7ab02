from analytics import business_intelligence_pb2 as _business_intelligence_pb2
from analytics import values_pb2 as _values_pb2
from common import provenance_pb2 as _provenance_pb2
from common import read_scope_pb2 as _read_scope_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetBusinessInsightsRequest(_message.Message):
    __slots__ = ("scope", "metrics", "min_severity", "limit")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    MIN_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    min_severity: _business_intelligence_pb2.BusinessInsights.Severity
    limit: int
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., min_severity: _Optional[_Union[_business_intelligence_pb2.BusinessInsights.Severity, str]] = ..., limit: _Optional[int] = ...) -> None: ...

class GetBusinessInsightsResponse(_message.Message):
    __slots__ = ("insights", "provenance")
    INSIGHTS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    insights: _containers.RepeatedCompositeFieldContainer[_business_intelligence_pb2.BusinessInsights]
    provenance: _provenance_pb2.Provenance
    def __init__(self, insights: _Optional[_Iterable[_Union[_business_intelligence_pb2.BusinessInsights, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetTrendAnalysisRequest(_message.Message):
    __slots__ = ("scope", "metrics", "interval")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    interval: str
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., interval: _Optional[str] = ...) -> None: ...

class GetTrendAnalysisResponse(_message.Message):
    __slots__ = ("trends", "provenance")
    TRENDS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    trends: _containers.RepeatedCompositeFieldContainer[_business_intelligence_pb2.TrendAnalysis]
    provenance: _provenance_pb2.Provenance
    def __init__(self, trends: _Optional[_Iterable[_Union[_business_intelligence_pb2.TrendAnalysis, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetSeasonalityRequest(_message.Message):
    __slots__ = ("scope", "metric", "cycle")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    CYCLE_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metric: str
    cycle: str
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metric: _Optional[str] = ..., cycle: _Optional[str] = ...) -> None: ...

class GetSeasonalityResponse(_message.Message):
    __slots__ = ("seasons", "strength", "reason", "provenance")
    class Season(_message.Message):
        __slots__ = ("place", "deviation", "observations")
        PLACE_FIELD_NUMBER: _ClassVar[int]
        DEVIATION_FIELD_NUMBER: _ClassVar[int]
        OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
        place: int
        deviation: _values_pb2.Value
        observations: int
        def __init__(self, place: _Optional[int] = ..., deviation: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., observations: _Optional[int] = ...) -> None: ...
    SEASONS_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    seasons: _containers.RepeatedCompositeFieldContainer[GetSeasonalityResponse.Season]
    strength: float
    reason: str
    provenance: _provenance_pb2.Provenance
    def __init__(self, seasons: _Optional[_Iterable[_Union[GetSeasonalityResponse.Season, _Mapping]]] = ..., strength: _Optional[float] = ..., reason: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetAnomaliesRequest(_message.Message):
    __slots__ = ("scope", "metrics", "interval", "sensitivity")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    interval: str
    sensitivity: float
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., interval: _Optional[str] = ..., sensitivity: _Optional[float] = ...) -> None: ...

class Anomaly(_message.Message):
    __slots__ = ("metric", "dimensions", "observed", "expected", "lower", "upper", "score")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    METRIC_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    metric: str
    dimensions: _containers.ScalarMap[str, str]
    observed: _values_pb2.SeriesPoint
    expected: _values_pb2.Value
    lower: _values_pb2.Value
    upper: _values_pb2.Value
    score: float
    def __init__(self, metric: _Optional[str] = ..., dimensions: _Optional[_Mapping[str, str]] = ..., observed: _Optional[_Union[_values_pb2.SeriesPoint, _Mapping]] = ..., expected: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., lower: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., upper: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., score: _Optional[float] = ...) -> None: ...

class GetAnomaliesResponse(_message.Message):
    __slots__ = ("anomalies", "provenance")
    ANOMALIES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    anomalies: _containers.RepeatedCompositeFieldContainer[Anomaly]
    provenance: _provenance_pb2.Provenance
    def __init__(self, anomalies: _Optional[_Iterable[_Union[Anomaly, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetRecommendationsRequest(_message.Message):
    __slots__ = ("scope", "area", "limit")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    area: str
    limit: int
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., area: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class Recommendation(_message.Message):
    __slots__ = ("recommendation_id", "area", "action", "rationale", "insight_ids", "expected_effect")
    RECOMMENDATION_ID_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RATIONALE_FIELD_NUMBER: _ClassVar[int]
    INSIGHT_IDS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_EFFECT_FIELD_NUMBER: _ClassVar[int]
    recommendation_id: str
    area: str
    action: str
    rationale: str
    insight_ids: _containers.RepeatedScalarFieldContainer[str]
    expected_effect: _values_pb2.MetricValue
    def __init__(self, recommendation_id: _Optional[str] = ..., area: _Optional[str] = ..., action: _Optional[str] = ..., rationale: _Optional[str] = ..., insight_ids: _Optional[_Iterable[str]] = ..., expected_effect: _Optional[_Union[_values_pb2.MetricValue, _Mapping]] = ...) -> None: ...

class GetRecommendationsResponse(_message.Message):
    __slots__ = ("recommendations", "provenance")
    RECOMMENDATIONS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    recommendations: _containers.RepeatedCompositeFieldContainer[Recommendation]
    provenance: _provenance_pb2.Provenance
    def __init__(self, recommendations: _Optional[_Iterable[_Union[Recommendation, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetCompetitiveAnalysisRequest(_message.Message):
    __slots__ = ("scope", "metrics", "peer_group")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    PEER_GROUP_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    peer_group: str
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., peer_group: _Optional[str] = ...) -> None: ...

class PeerComparison(_message.Message):
    __slots__ = ("own", "lower_quartile", "median", "upper_quartile", "percentile", "reason")
    OWN_FIELD_NUMBER: _ClassVar[int]
    LOWER_QUARTILE_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    UPPER_QUARTILE_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    own: _values_pb2.MetricValue
    lower_quartile: _values_pb2.Value
    median: _values_pb2.Value
    upper_quartile: _values_pb2.Value
    percentile: float
    reason: str
    def __init__(self, own: _Optional[_Union[_values_pb2.MetricValue, _Mapping]] = ..., lower_quartile: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., median: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., upper_quartile: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., percentile: _Optional[float] = ..., reason: _Optional[str] = ...) -> None: ...

class GetCompetitiveAnalysisResponse(_message.Message):
    __slots__ = ("comparisons", "peers", "provenance")
    COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    comparisons: _containers.RepeatedCompositeFieldContainer[PeerComparison]
    peers: int
    provenance: _provenance_pb2.Provenance
    def __init__(self, comparisons: _Optional[_Iterable[_Union[PeerComparison, _Mapping]]] = ..., peers: _Optional[int] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetMarketInsightStreamRequest(_message.Message):
    __slots__ = ("scope", "min_severity", "resume_token")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    MIN_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    min_severity: _business_intelligence_pb2.BusinessInsights.Severity
    resume_token: str
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., min_severity: _Optional[_Union[_business_intelligence_pb2.BusinessInsights.Severity, str]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class GetMarketInsightStreamResponse(_message.Message):
    __slots__ = ("insight", "provenance", "resume_token")
    INSIGHT_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    insight: _business_intelligence_pb2.BusinessInsights
    provenance: _provenance_pb2.Provenance
    resume_token: str
    def __init__(self, insight: _Optional[_Union[_business_intelligence_pb2.BusinessInsights, _Mapping]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...
