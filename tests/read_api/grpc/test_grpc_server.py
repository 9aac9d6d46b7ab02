"""The server: what is served, what is not, and the door that every call goes through."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import gc
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from services import dashboards_pb2 as dashboards
from services import kpis_pb2 as kpis
from services import operations_pb2 as operations
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from app.serving.gate import Gate
from app.serving.grpc_interceptor import CODES, MAX_MESSAGE, status_code
from app.serving.grpc_server import SERVICE, Tls, grpc_server
from domain import errors
from domain.request.caller import Caller
from eventlog.publish.audit_writer import NoTrail
from tests.read_api.grpc.serving import PEOPLE, authenticate, refused, service, serving, signed_in, trailing

REQUEST = operations.HealthCheckRequest()


async def who(request: object, caller: Caller) -> operations.HealthCheckResponse:
    """Answers who is caller."""
    await asyncio.sleep(0)
    return operations.HealthCheckResponse(version=caller.principal.sub, correlation_id=caller.correlation_id)


def failing(error: Exception) -> Callable[[object, Caller], Any]:
    """A handler that raises."""

    async def fail(request: object, caller: Caller) -> operations.HealthCheckResponse:
        raise error

    return fail


def begin_call(channel: grpc.aio.Channel, rpc: MethodDescriptor) -> Any:
    """Call an RPC with an empty request (or a stream of one), whatever its shape."""
    request = GetMessageClass(rpc.input_type)()

    async def requests() -> AsyncIterator[Any]:
        yield request

    argument = requests() if rpc.client_streaming else request
    return getattr(service(channel), rpc.name)(argument, metadata=signed_in("viewer"))


async def test_every_rpc_without_a_handler_says_so_by_name() -> None:
    """All RPCs of the contract, of all four shapes, answer UNIMPLEMENTED and name themselves."""
    async with serving() as channel:
        for rpc in SERVICE.methods:
            error = await refused(begin_call(channel, rpc))
            if error.code() == grpc.StatusCode.INTERNAL:  # the refusal came while the client was sending its request
                error = await refused(begin_call(channel, rpc))
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED, rpc.name
            assert f"services.AnalyticsService.{rpc.name} " in str(error.details())


async def test_bytes_that_are_no_request_are_the_callers_mistake() -> None:
    """INVALID_ARGUMENT at every RPC, whoever streams, and not a word of what went wrong inside."""

    async def requests() -> AsyncIterator[bytes]:
        yield b"\xff\xff garbage"

    async def served(request: Any, caller: Caller) -> operations.HealthCheckResponse:
        async for _ in request:
            pass
        return operations.HealthCheckResponse()

    async with serving({"Publish": served}) as channel:
        for rpc in (each for each in SERVICE.methods if each.name == "Publish" or not each.client_streaming):
            shape = ("stream" if each else "unary" for each in (rpc.client_streaming, rpc.server_streaming))
            call = getattr(channel, "_".join(shape))(f"/{SERVICE.full_name}/{rpc.name}")
            sent = requests() if rpc.client_streaming else b"\xff\xff garbage"
            error = await refused(call(sent, metadata=signed_in("auditor-of-acme")))
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, rpc.name
            assert error.details() == "the bytes are no message of this call"


async def test_two_tokens_are_one_too_many() -> None:
    """Either would be a guess."""
    async with serving({"HealthCheck": who}) as channel:
        call = service(channel).HealthCheck
        error = await refused(call(REQUEST, metadata=(*signed_in("viewer"), *signed_in("engineer"))))
        assert error.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_reflection_lists_the_service() -> None:
    """A caller without stubs finds the service and its file."""

    async def questions() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        yield reflection_pb2.ServerReflectionRequest(file_containing_symbol="services.AnalyticsService")

    async with serving() as channel:
        ask = channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        answers = [answer async for answer in ask(questions())]
    names = {entry.name for entry in answers[0].list_services_response.service}
    assert names >= {"services.AnalyticsService", "grpc.health.v1.Health"}
    assert len(answers[1].file_descriptor_response.file_descriptor_proto) > 0


async def test_the_standard_health_service_follows_the_server() -> None:
    """SERVING without a token; NOT_SERVING when told, for the server and for the service."""
    server = grpc_server([], Gate(authenticate, NoTrail()))
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        for name in ("", "services.AnalyticsService"):
            answer = await check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        await server.ready(False)
        answer = await check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        await server.stop(grace=0.5)


@pytest.mark.parametrize(
    "metadata",
    [(), (("authorization", "Basic x"),), (("authorization", "Bearer "),), (("authorization", "Bearer nobody"),)],
)
async def test_a_call_without_a_good_token_is_not_answered(metadata: tuple[tuple[str, str], ...]) -> None:
    """No token, another scheme, an empty one, an unknown one: UNAUTHENTICATED, with what to do about it."""
    async with serving({"HealthCheck": who}) as channel:
        error = await refused(service(channel).HealthCheck(REQUEST, metadata=metadata))
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert trailing(error)["x-error-code"] == "unauthenticated"
    assert trailing(error)["x-suggested-actions"]


async def test_a_streaming_call_without_a_token_is_not_answered() -> None:
    """The door is the same for RPCs that stream."""

    async def stream(request: object, caller: Caller) -> AsyncGenerator[operations.StreamEventsResponse]:
        yield operations.StreamEventsResponse()

    async with serving({"StreamEvents": stream}) as channel:
        error = await refused(service(channel).StreamEvents(operations.StreamEventsRequest()))
        answers = service(channel).StreamEvents(operations.StreamEventsRequest(), metadata=signed_in("viewer"))
        assert len([answer async for answer in answers]) == 1
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_a_stream_ends_with_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after a token has ended or was withdrawn is not for its caller any more."""

    async def stream(request: object, caller: Caller) -> AsyncGenerator[operations.StreamEventsResponse]:
        yield operations.StreamEventsResponse(position="first")
        monkeypatch.delitem(PEOPLE, "viewer")
        yield operations.StreamEventsResponse(position="second")

    async with serving({"StreamEvents": stream}) as channel:
        call = service(channel).StreamEvents(operations.StreamEventsRequest(), metadata=signed_in("viewer"))
        first = await call.read()
        assert isinstance(first, operations.StreamEventsResponse)
        assert first.position == "first"
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call.read()
    assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_a_stream_whose_reader_leaves_ends_at_once_where_it_began(caplog: pytest.LogCaptureFixture) -> None:
    """While a message is written, too: nothing of it is left for the collector of garbage, in whatever context."""
    ended, begun = asyncio.Event(), contextvars.ContextVar[str]("begun")

    async def endless(request: object, caller: Caller) -> AsyncGenerator[operations.StreamEventsResponse]:
        token = begun.set("here")
        try:
            while True:
                yield operations.StreamEventsResponse(position="x" * 1_000_000)
        finally:
            begun.reset(token)
            ended.set()

    async with serving({"StreamEvents": endless}) as channel:
        call = service(channel).StreamEvents(operations.StreamEventsRequest(), metadata=signed_in("auditor-of-acme"))
        assert await anext(aiter(call))
        await asyncio.sleep(0.2)  # more than the reader's window is written by now, and waits
        call.cancel()
        await asyncio.wait_for(ended.wait(), 30)
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_the_handler_knows_who_is_asking() -> None:
    """Also when calls of several callers are served side by side."""
    async with serving({"HealthCheck": who}) as channel:
        names = ["viewer", "engineer", "auditor-of-acme"] * 10
        calls = [service(channel).HealthCheck(REQUEST, metadata=signed_in(name)) for name in names]
        answers = [await call for call in calls]
    assert [answer.version for answer in answers] == ["vic", "eve", "ann"] * 10


async def test_requests_that_stream_reach_the_handler_one_by_one() -> None:
    """Of an RPC that answers once, and of one that answers as it goes."""

    async def count(requests: AsyncIterator[operations.PublishRequest], caller: Caller) -> operations.PublishResponse:
        return operations.PublishResponse(accepted=len([request async for request in requests]))

    async def echo(
        requests: AsyncIterator[dashboards.WatchDashboardsRequest], caller: Caller
    ) -> AsyncGenerator[dashboards.WatchDashboardsResponse]:
        async for request in requests:
            yield dashboards.WatchDashboardsResponse(subscription_id=request.unsubscribe.subscription_id)

    async with serving({"Publish": count, "WatchDashboards": echo}) as channel:
        stub, who = service(channel), signed_in("viewer")
        published = await stub.Publish((operations.PublishRequest() for _ in range(3)), metadata=who)
        watching = stub.WatchDashboards(metadata=who)
        for name in ("a", "b"):
            unsubscribe = dashboards.WatchDashboardsRequest.Unsubscribe(subscription_id=name)
            await watching.write(dashboards.WatchDashboardsRequest(unsubscribe=unsubscribe))
            answer = await watching.read()
            assert isinstance(answer, dashboards.WatchDashboardsResponse)
            assert answer.subscription_id == name
        await watching.done_writing()
    assert published.accepted == 3


async def test_the_correlation_id_is_taken_and_answered() -> None:
    """In the handler and in the trailing metadata, of an answer and of an error."""
    given = signed_in("viewer", ("x-correlation-id", "c-1"))
    async with serving({"HealthCheck": who}) as channel:
        call = service(channel).HealthCheck(REQUEST, metadata=given)
        assert (await call).correlation_id == "c-1"
        assert ("x-correlation-id", "c-1") in list(await call.trailing_metadata())
        error = await refused(service(channel).GetKPIs(kpis.GetKPIsRequest()))
    assert re.fullmatch(r"[0-9a-f-]{36}", trailing(error)["x-correlation-id"])


async def test_a_correlation_id_that_would_spoil_a_log_line_is_replaced() -> None:
    """Spaces and quotes are for forgers of log lines."""
    async with serving({"HealthCheck": who}) as channel:
        given = signed_in("viewer", ("x-correlation-id", 'a" level=ERROR'))
        answer = await service(channel).HealthCheck(REQUEST, metadata=given)
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.correlation_id)


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
async def test_domain_errors_have_codes(kind: type[errors.AnalyticsError]) -> None:
    """Each class of error answers its code, its sentence and what to do."""
    error = kind("what is wrong", code="its_code", suggested_actions=("Do – this.", "Or that."))
    async with serving({"HealthCheck": failing(error)}) as channel:
        answer = await refused(service(channel).HealthCheck(REQUEST, metadata=signed_in("viewer")))
    assert (answer.code(), answer.details()) == (CODES[kind], "what is wrong")
    assert trailing(answer)["x-error-code"] == "its_code"
    assert trailing(answer)["x-suggested-actions"] == "Do ? this.; Or that."


def test_every_domain_error_has_a_code() -> None:
    """A new class of errors cannot be forgotten in the table, and a subclass has the code of its parent."""
    assert set(CODES) == set(errors.AnalyticsError.__subclasses__())

    class TooOld(errors.Invalid):
        """Some door's own kind of Invalid."""

    assert status_code(TooOld("x")) == grpc.StatusCode.INVALID_ARGUMENT


async def test_an_unforeseen_error_tells_nothing_of_its_inside(caplog: pytest.LogCaptureFixture) -> None:
    """INTERNAL and a correlation id for the caller, the traceback for the log."""
    async with serving({"HealthCheck": failing(KeyError("secret of another tenant"))}) as channel:
        metadata = signed_in("viewer", ("x-correlation-id", "c-2"))
        error = await refused(service(channel).HealthCheck(REQUEST, metadata=metadata))
    assert error.code() == grpc.StatusCode.INTERNAL
    assert "secret" not in str(error.details())
    assert "c-2" in caplog.text
    assert "secret of another tenant" in caplog.text


async def test_messages_above_the_limit_are_refused() -> None:
    """4 MB and no more, before anything is decoded."""
    async with serving({"HealthCheck": who}) as channel:
        request = operations.GetProjectionStatusRequest(names=["x" * MAX_MESSAGE])
        error = await refused(service(channel).GetProjectionStatus(request, metadata=signed_in("viewer")))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_handlers_that_fit_no_contract_are_defects() -> None:
    """A handler of an unknown RPC, or two of one, is found when the server is put together."""
    with pytest.raises(errors.Defect, match="Frobnicate is no RPC"):
        grpc_server([{"Frobnicate": who}], Gate(authenticate, NoTrail()))
    with pytest.raises(errors.Defect, match="two handlers are offered for the RPC HealthCheck"):
        grpc_server([{"HealthCheck": who}, {"HealthCheck": who}], Gate(authenticate, NoTrail()))


async def test_an_address_that_is_taken_is_said_so() -> None:
    """Two servers never share a port without a word."""
    first = grpc_server([], Gate(authenticate, NoTrail()))
    await first.start()
    with pytest.raises(errors.Unavailable, match="cannot be listened on"):
        grpc_server([], Gate(authenticate, NoTrail()), address=f"127.0.0.1:{first.port}")
    await first.stop(grace=0)


async def test_tls_is_served_with_the_certificate_given() -> None:
    """A caller who trusts the certificate is answered over an encrypted channel."""
    key, certificate = self_signed("localhost")
    server = grpc_server([{"HealthCheck": who}], Gate(authenticate, NoTrail()), tls=Tls(key, certificate))
    await server.start()
    credentials = grpc.ssl_channel_credentials(root_certificates=certificate)
    options = [("grpc.ssl_target_name_override", "localhost")]
    async with grpc.aio.secure_channel(f"127.0.0.1:{server.port}", credentials, options) as channel:
        answer = await AnalyticsServiceStub(channel).HealthCheck(REQUEST, metadata=signed_in("viewer"))
    await server.stop(grace=0.5)
    assert answer.version == "vic"


def self_signed(name: str) -> tuple[bytes, bytes]:
    """Key and certificate for a host name, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)
