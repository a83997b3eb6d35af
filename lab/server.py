"""The lab's one HTTP port: AWS's APIs, and ``/_lab/`` beside them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any, NoReturn
from urllib.parse import urlsplit

from aiohttp import web

from lab import control, page_routes, stage_routes
from lab.cloud import Cloud
from lab.errors import AwsError
from lab.faults import FaultError
from lab.stage import Stage
from lab.wire.dispatch import Endpoint, RoundTrip
from lab.wire.messages import Request

MOST_BYTES = 1_048_576


def application(
    cloud: Cloud, endpoint: Endpoint, stage: Stage, pid: control.Pid, clock: Callable[[], float] = time.time
) -> web.Application:
    """The aiohttp application; its server must cancel a handler whose client is gone."""
    app = web.Application(client_max_size=MOST_BYTES, middlewares=[_own_routes])
    app.add_routes(page_routes.routes(cloud, stage, endpoint.log, clock))
    app.add_routes(stage_routes.routes(stage, clock))
    app.add_routes(_Control(cloud, endpoint, pid, clock).routes())
    app.router.add_route("*", "/{path:.*}", _aws(endpoint, clock))
    return app


def _aws(endpoint: Endpoint, clock: Callable[[], float]) -> Callable[[web.Request], Any]:
    async def answer(request: web.Request) -> web.Response:
        began = clock()
        outcome = endpoint.answer(await _received(request), began)
        await asyncio.sleep(outcome.delay)
        if outcome.without_reply == "silent":
            await _never()
        if outcome.reply is None:
            return _closed(request)
        endpoint.log.round_trips.append(RoundTrip(began, clock() - began))
        return web.Response(status=outcome.reply.status, body=outcome.reply.body, headers=outcome.reply.headers)

    return answer


@web.middleware
async def _own_routes(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Guards ``/_lab/``: a foreign page that has its name resolved to this machine sends that name as Host."""
    resource = request.match_info.route.resource
    if resource is None or not resource.canonical.startswith("/_lab"):
        return await handler(request)
    host = request.headers.get("Host", "localhost")
    if not _is_loopback(host):
        sentence = f"The lab is asked by localhost or a loopback address alone, not by {host!r}."
        return web.json_response({"error": sentence}, status=403)
    try:
        return await handler(request)
    except RecursionError:
        return web.json_response({"error": "The body is nested too deeply."}, status=400)


def _is_loopback(host: str) -> bool:
    """Of a Host header, with or without a port."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


class _Control:
    """What the lab shows and takes about itself."""

    def __init__(self, cloud: Cloud, endpoint: Endpoint, pid: control.Pid, clock: Callable[[], float]) -> None:
        self._cloud = cloud
        self._endpoint = endpoint
        self._pid = pid
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/_lab/destination", self._set_destination),
            web.get("/_lab/faults", self._show_faults),
            web.put("/_lab/faults", self._set_fault),
            web.delete("/_lab/faults", self._mend),
            web.get("/_lab/state", self._show_state),
            web.get("/_lab/calls", self._show_calls),
            web.get("/_lab/health", self._health),
        ]

    async def _set_destination(self, request: web.Request) -> web.Response:
        body = await request.read()
        return _answered(lambda: control.set_destination(self._cloud, body))

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return web.json_response(control.faults(self._cloud.faults))

    async def _set_fault(self, request: web.Request) -> web.Response:
        body = await request.read()
        return _answered(lambda: control.set_fault(self._cloud, body))

    async def _mend(self, _request: web.Request) -> web.Response:
        self._cloud.faults.clear()
        return web.json_response(control.faults(self._cloud.faults))

    async def _show_state(self, _request: web.Request) -> web.Response:
        return web.json_response(control.state(self._cloud, self._clock(), self._pid))

    async def _show_calls(self, _request: web.Request) -> web.Response:
        return web.json_response(control.calls(self._endpoint.log))

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})


async def _received(request: web.Request) -> Request:
    headers = {name.lower(): value for name, value in request.headers.items()}
    url = request.rel_url
    return Request(request.method, url.raw_path, dict(url.query), headers, await request.read())


async def _never() -> NoReturn:
    """Ends when the client gives up or the lab stops: both cancel the handler."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets this event")


def _closed(request: web.Request) -> web.Response:
    """Ends the connection; the response is for aiohttp alone, nobody gets it."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def _answered(call: Callable[[], dict[str, Any]]) -> web.Response:
    try:
        return web.json_response(call())
    except AwsError as error:
        return web.json_response({"error": error.message}, status=error.status)
    except FaultError as error:
        return web.json_response({"error": str(error)}, status=400)
