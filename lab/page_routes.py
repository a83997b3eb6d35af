"""The lab's page for training at ``/_lab/``, what it shows, and the accidents that it offers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from lab.accident_calls import described, perform
from lab.accidents import AccidentError
from lab.cloud import Cloud
from lab.stage import Stage, StageError, read_body
from lab.view import Seen, view
from lab.wire.dispatch import CallLog

DIRECTORY = Path(__file__).parent / "page"
FILES = frozenset(each.name for each in DIRECTORY.iterdir())
# Everything comes from the lab itself, and nothing is written into the page but by its own scripts.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def routes(cloud: Cloud, stage: Stage, log: CallLog, clock: Callable[[], float]) -> list[web.RouteDef]:
    """For the lab's HTTP server."""
    page = _Page(cloud, stage, log, clock)
    return [
        web.get("/_lab", _index),
        web.get("/_lab/", _index),
        web.get("/_lab/page/{name}", _file),
        web.get("/_lab/view", page.show_view),
        web.get("/_lab/accidents", page.show_accidents),
        web.post("/_lab/accidents", page.let_happen),
    ]


async def _index(_request: web.Request) -> web.StreamResponse:
    return web.FileResponse(DIRECTORY / "index.html", headers=HEADERS)


async def _file(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    if name not in FILES:
        return _refused(f"The page has no file {name!r}.", 404)
    return web.FileResponse(DIRECTORY / name, headers=HEADERS)


class _Page:
    def __init__(self, cloud: Cloud, stage: Stage, log: CallLog, clock: Callable[[], float]) -> None:
        self._cloud = cloud
        self._stage = stage
        self._log = log
        self._clock = clock

    async def show_view(self, request: web.Request) -> web.Response:
        """Takes ``application`` (else the first one) and ``since``, from when on answers are wanted."""
        applications = self._cloud.applications
        slug = request.query.get("application", next(iter(applications)))
        if slug not in applications:
            return _refused(f"There is no application {slug!r}; there are {', '.join(applications)}.", 404)
        try:
            since = float(request.query.get("since", 0))
        except ValueError:
            return _refused(f"since is a time in epoch seconds, not {request.query['since']!r}.", 400)
        seen = Seen(self._cloud, self._stage.shown(), self._log)
        return web.json_response(view(seen, slug, self._clock(), since), headers={"Cache-Control": "no-store"})

    async def show_accidents(self, _request: web.Request) -> web.Response:
        return web.json_response(described())

    async def let_happen(self, request: web.Request) -> web.Response:
        """Takes ``{"application", "accident", "with": {…}}``; 400 with a sentence where it cannot happen."""
        if request.headers.get("Origin", _own_origin(request)) != _own_origin(request):
            return _refused("Only the lab's own page may let accidents happen, no other site's.", 403)
        try:
            return web.json_response(self._perform(read_body(await request.read())))
        except (AccidentError, StageError) as error:
            return _refused(str(error), 400)

    def _perform(self, given: dict[str, Any]) -> dict[str, Any]:
        slug, name, values = given.get("application"), given.get("accident"), given.get("with") or {}
        if not isinstance(slug, str) or not isinstance(name, str) or not isinstance(values, dict):
            raise AccidentError('The body must be {"application": …, "accident": …, "with": {…}}.')
        if slug not in self._cloud.applications:
            raise AccidentError(f"There is no application {slug!r}; there are {', '.join(self._cloud.applications)}.")
        result = perform(self._cloud.home(slug), slug, self._clock(), name, values)
        return {"application": slug, "accident": name, "with": values, "result": result}


def _own_origin(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _refused(sentence: str, status: int) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
