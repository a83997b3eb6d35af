"""``/_lab/scenario`` and ``/_lab/loads``: what is played, and what clients are asked to send."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from lab.stage import Stage, StageError, catalogue, read_body

Handler = Callable[[web.Request], Awaitable[web.Response]]


def routes(stage: Stage, clock: Callable[[], float]) -> list[web.RouteDef]:
    """For the lab's HTTP server."""

    def play(given: dict[str, Any]) -> None:
        stage.play(given, clock())

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(stage.shown())

    async def stop(_request: web.Request) -> web.Response:
        stage.stop()
        return web.json_response(stage.shown())

    async def show_catalogue(_request: web.Request) -> web.Response:
        return web.json_response(catalogue())

    return [
        web.get("/_lab/scenarios", show_catalogue),
        web.get("/_lab/scenario", show),
        web.put("/_lab/scenario", _changing(stage, play)),
        web.delete("/_lab/scenario", stop),
        web.put("/_lab/loads", _changing(stage, stage.set_load)),
    ]


def _changing(stage: Stage, change: Callable[[dict[str, Any]], None]) -> Handler:
    """A request that changes something: 400 with a sentence where it cannot."""

    async def handle(request: web.Request) -> web.Response:
        try:
            change(read_body(await request.read()))
        except StageError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(stage.shown())

    return handle
