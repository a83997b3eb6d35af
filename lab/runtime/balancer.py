"""The load balancers' data plane: two nodes, each a listening port, forwarding to real targets. Never a retry.

The headers ``X-Lab-Pool`` (lambda or ecs: the kind of target group that the request was sent to) and ``X-Lab-Node``
(a or b) are the lab's own, for whoever measures: AWS sends neither.
"""

import asyncio
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from aiohttp import web
from yarl import URL

from lab import causes
from lab.alb import Exchange, LoadBalancer
from lab.lambda_ import Environment, Function, Functions
from lab.runtime.environments import EnvironmentProcesses, FunctionError
from lab.runtime.lambda_event import (
    MOST_BYTES,
    Incoming,
    InvalidAnswerError,
    Outgoing,
    Pairs,
    build,
    can_be_encoded,
    parse,
)
from lab.targets import TargetGroup

CONNECT_TIMEOUT = 10.0
IDLE_TIMEOUT = 60.0
# Connections to targets: kept for less time than a target keeps them (75 s), or a request meets a closing one.
TARGET_KEEP_ALIVE = 50.0
CLIENT_KEEP_ALIVE = 75.0
SHUTDOWN_SECONDS = 0.5
# Of any request: the lab keeps a body in its memory, where a load balancer passes it on as it comes.
MOST_BODY_BYTES = 16 * 1024 * 1024
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}
)


@dataclass(frozen=True)
class Result:
    """``by_target`` is false when the load balancer made the answer itself; ``cause`` says why it failed."""

    answer: Outgoing
    by_target: bool
    fault: str = ""
    cause: str = ""


class RefusedError(Exception):
    """A request that goes nowhere: the load balancer answers it with ``status``."""

    def __init__(self, status: int, cause: str) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause


class Balancers:
    """Serves every load balancer's nodes."""

    def __init__(self, functions: Functions, environments: EnvironmentProcesses, clock: Callable[[], float]) -> None:
        self._functions = functions
        self._environments = environments
        self._clock = clock
        self._servers: list[tuple[web.Server, asyncio.Server]] = []
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=TARGET_KEEP_ALIVE),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=IDLE_TIMEOUT),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def serve(self, load_balancer: LoadBalancer) -> list[str]:
        """Opens a port for each node; returns their URLs in the nodes' order."""
        return [await self._serve_node(load_balancer, name) for name in load_balancer.nodes]

    async def close(self) -> None:
        for _, listener in self._servers:
            listener.close()
        await asyncio.gather(*(server.shutdown(SHUTDOWN_SECONDS) for server, _ in self._servers))
        await self._session.close()

    async def _serve_node(self, load_balancer: LoadBalancer, node: str) -> str:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return await self._answer(load_balancer, node, request)

        listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        server = web.Server(answer, auto_decompress=False, keepalive_timeout=CLIENT_KEEP_ALIVE)
        listener = await asyncio.get_running_loop().create_server(server, sock=listening)
        self._servers.append((server, listener))
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    async def _answer(self, load_balancer: LoadBalancer, node: str, request: web.BaseRequest) -> web.Response:
        try:
            incoming = await _incoming(request)
        except RefusedError as refused:
            return self._refuse(load_balancer, node, refused)
        cookies = request.headers.get("Cookie", "")
        exchange = load_balancer.dispatch(node, incoming.path, self._clock(), cookies)
        # What the finally reports when this request is cut off because the lab stops.
        result = _own(502, cause=causes.CUT_OFF)
        try:
            result = await self._forward(exchange, incoming)
        finally:
            load_balancer.finish(
                exchange,
                result.answer.status,
                self._clock(),
                by_target=result.by_target,
                fault=result.fault,
                cause=result.cause,
            )
        return _response(exchange, result.answer)

    def _refuse(self, load_balancer: LoadBalancer, node: str, refused: RefusedError) -> web.Response:
        now = self._clock()
        exchange = Exchange(node, now, cause=refused.cause)
        load_balancer.finish(exchange, refused.status, now, by_target=False)
        return _response(exchange, _own(refused.status).answer)

    async def _forward(self, exchange: Exchange, incoming: Incoming) -> Result:
        if exchange.target is None or exchange.group is None:
            return _own(exchange.status, exchange.body)
        if exchange.group.kind == "lambda":
            return await self._to_lambda(exchange.group, exchange.target.id, incoming)
        return await self._to_address(f"{exchange.target.id}:{exchange.target.port}", incoming)

    async def _to_address(self, address: str, incoming: Incoming) -> Result:
        query = f"?{incoming.query}" if incoming.query else ""
        url = URL(f"http://{address}{incoming.path}{query}", encoded=True)
        try:
            async with self._session.request(
                incoming.method, url, headers=incoming.headers, data=incoming.body or None, allow_redirects=False
            ) as response:
                body = await response.read()
                headers = _end_to_end(list(response.headers.items()))
                cause = causes.BY_TARGET if response.status >= 500 else ""
                return Result(Outgoing(response.status, headers, body), by_target=True, cause=cause)
        except TimeoutError:
            return _own(504, cause=causes.TASK_LATE)
        except aiohttp.ClientError:
            return _own(502, cause=causes.TASK_SILENT)

    async def _to_lambda(self, group: TargetGroup, function_arn: str, incoming: Incoming) -> Result:
        if len(incoming.body) > MOST_BYTES:
            return _own(413, cause=causes.FUNCTION_BODY)
        function = self._functions.find(function_arn)
        started = self._clock()
        event = build(incoming, group.arn, multi_value=group.multi_value_headers)
        environment = self._functions.begin(function, started)
        if environment is None:
            return _own(502, fault="LambdaUserError", cause=causes.THROTTLED)
        try:
            answer = await self._invoke(function, environment, event, started)
            outgoing = parse(answer, multi_value=group.multi_value_headers)
        except (FunctionError, TimeoutError, InvalidAnswerError) as error:
            return _own(502, fault="LambdaUserError", cause=_words(error))
        return Result(outgoing, by_target=True, cause=causes.BY_TARGET if outgoing.status >= 500 else "")

    async def _invoke(self, function: Function, environment: Environment, event: bytes, started: float) -> bytes:
        failed, usable, breaks = True, False, function.fails()
        try:
            answer = await self._environments.invoke(environment.id, event, function.settings.timeout)
            failed, usable = breaks, True
        except FunctionError:
            usable = self._environments.alive(environment.id)
            raise
        finally:
            function.end(environment, started, self._clock(), failed=failed, usable=usable)
        if breaks:
            raise FunctionError("The lab's switch function_errors is on")
        return answer


async def _incoming(request: web.BaseRequest) -> Incoming:
    """The request as targets see it: with the headers that a load balancer adds. Raises RefusedError."""
    _check(request)
    headers = _end_to_end(list(request.headers.items()))
    client = request.remote or "127.0.0.1"
    before = request.headers.get("X-Forwarded-For")
    added = {
        "X-Forwarded-For": f"{before}, {client}" if before else client,
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Port": "80",
        "X-Amzn-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}",
    }
    replaced = {name.lower() for name in added}
    kept = [(name, value) for name, value in headers if name.lower() not in replaced]
    url = request.rel_url
    return Incoming(request.method, url.raw_path, url.raw_query_string, [*kept, *added.items()], await _body(request))


def _check(request: web.BaseRequest) -> None:
    """Raises RefusedError for what can be sent to no target."""
    if request.method == "TRACE":
        raise RefusedError(405, causes.MALFORMED)
    url = request.rel_url
    texts = [url.raw_path, url.raw_query_string, *request.headers.values()]
    if request.method == "CONNECT" or not url.raw_path.startswith("/") or not all(map(can_be_encoded, texts)):
        raise RefusedError(400, causes.MALFORMED)


async def _body(request: web.BaseRequest) -> bytes:
    body = bytearray()
    async for part in request.content.iter_any():
        body += part
        if len(body) > MOST_BODY_BYTES:
            raise RefusedError(413, causes.BODY)
    return bytes(body)


def _response(exchange: Exchange, answer: Outgoing) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body)
    for name, value in answer.headers:
        response.headers.add(name, value)
    if exchange.group:
        response.headers["X-Lab-Pool"] = exchange.group.pool
    response.headers["X-Lab-Node"] = exchange.node
    if exchange.cookie:
        response.headers.add("Set-Cookie", exchange.cookie)
    return response


def _end_to_end(headers: Pairs) -> Pairs:
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]


def _words(error: Exception) -> str:
    """Why an invocation came to nothing."""
    match error:
        case TimeoutError():
            return causes.FUNCTION_LATE
        case InvalidAnswerError():
            return causes.FUNCTION_ANSWER
    return causes.FUNCTION_FAILED


def _own(status: int, body: str = "", fault: str = "", cause: str = "") -> Result:
    """An answer that the load balancer makes itself, in its usual words."""
    phrase = HTTPStatus(status).phrase
    page = f"<html>\r\n<head><title>{status} {phrase}</title></head>\r\n<body>{status} {phrase}</body>\r\n</html>\r\n"
    headers = [("Server", "awselb/2.0"), ("Content-Type", "text/plain" if body else "text/html")]
    return Result(Outgoing(status, headers, (body or page).encode()), by_target=False, fault=fault, cause=cause)
