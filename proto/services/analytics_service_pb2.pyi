from services import charts_pb2 as _charts_pb2
from services import dashboards_pb2 as _dashboards_pb2
from services import insights_pb2 as _insights_pb2
from services import kpis_pb2 as _kpis_pb2
from services import operations_pb2 as _operations_pb2
from services import predictive_pb2 as _predictive_pb2
from services import queries_pb2 as _queries_pb2
from services import reports_pb2 as _reports_pb2
from services import trading_pb2 as _trading_pb2
from services import users_pb2 as _users_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
