"""The lab's one HTTP port: AWS's APIs, and ``/_lab/`` beside them."""

import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from lab import control
from lab.errors import AwsError
from lab.wire.dispatch import Endpoint
from lab.wire.messages import Request
from lab.world import World

MOST_BYTES = 1_048_576


def application(world: World, endpoint: Endpoint, pid: control.Pid) -> web.Application:
    """The aiohttp application."""

    async def aws(request: web.Request) -> web.Response:
        reply = endpoint.answer(await _received(request), time.time())
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    async def set_destination(request: web.Request) -> web.Response:
        body = await request.read()
        return _answered(lambda: control.set_destination(world, body))

    async def show_state(_request: web.Request) -> web.Response:
        return web.json_response(control.state(world, time.time(), pid))

    async def show_calls(_request: web.Request) -> web.Response:
        return web.json_response(control.calls(endpoint.log))

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_put("/_lab/destination", set_destination)
    app.router.add_get("/_lab/state", show_state)
    app.router.add_get("/_lab/calls", show_calls)
    app.router.add_get("/_lab/health", health)
    app.router.add_route("*", "/{path:.*}", aws)
    return app


async def _received(request: web.Request) -> Request:
    headers = {name.lower(): value for name, value in request.headers.items()}
    url = request.rel_url
    return Request(request.method, url.raw_path, dict(url.query), headers, await request.read())


def _answered(call: Callable[[], dict[str, Any]]) -> web.Response:
    try:
        return web.json_response(call())
    except AwsError as error:
        return web.json_response({"error": error.message}, status=error.status)
