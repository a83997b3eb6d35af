"""Live updates as server-sent events: tells open pages that something changed, so that they read it anew.

A process of its own, because an open stream would hold a thread of the web server. It has one subscription to Redis
for all its viewers. A hint carries no data, so losing one costs nothing but time: pages also poll.

    GET /live/                     hints about every application, at most one a second
    GET /live/?application=SLUG    hints about one, at most four a second
    GET /healthz                   200 as long as the process lives
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from urllib.parse import urlsplit

import django
import redis.asyncio
import structlog
from asgiref.sync import sync_to_async
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
django.setup()

from django.conf import settings  # noqa: E402 - models and settings need the set-up above
from django.contrib.auth import get_user  # noqa: E402
from django.db import connections  # noqa: E402
from django.http import HttpRequest  # noqa: E402

from panel.accounts.roles import owned  # noqa: E402
from panel.fleet.models import Application  # noqa: E402
from panel.ingest.body import UNSTORABLE  # noqa: E402
from panel.live_hints import CHANNEL, EVERYTHING  # noqa: E402

PING_SECONDS = 15.0
LONGEST_SECONDS = 600.0  # then the browser connects again, and its session is judged again
SLOW, FAST = 1.0, 0.25  # seconds between two hints to one viewer
RETRY_SECONDS = 1.0
HINT, PING = "event: hint\ndata:\n\n", ": ping\n\n"

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class Viewer:
    """An open stream. Hints that arrive between two writes become one."""

    application: str
    news: asyncio.Event = field(default_factory=asyncio.Event)
    gone: bool = False

    @property
    def pause(self) -> float:
        return FAST if self.application else SLOW

    def hint(self, slug: str) -> None:
        if slug == EVERYTHING or self.application in ("", slug):
            self.news.set()

    def end(self) -> None:
        self.gone = True
        self.news.set()


class Hub:
    """All viewers of this process, and the one subscription that serves them, kept from the first viewer on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._viewers: set[Viewer] = set()
        self._listening: asyncio.Task[None] | None = None
        self._subscribed = asyncio.Event()

    async def join(self, viewer: Viewer, patience: float = 1.0) -> bool:
        """Add a viewer. False where Redis can't be reached in time: the page then polls faster."""
        self._viewers.add(viewer)
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._subscribed.wait(), patience)
            return True
        self.leave(viewer)
        return False

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    async def _listen(self) -> None:
        """Pass on what Redis says, for ever. When it goes away every stream ends, and who comes back finds it."""
        while True:
            try:
                await self._forward()
            except (redis.RedisError, OSError) as problem:
                log.warning("live_updates_without_redis", problem=str(problem))
            finally:
                self._subscribed.clear()
            for viewer in self._viewers:
                viewer.end()
            await asyncio.sleep(RETRY_SECONDS)

    async def _forward(self) -> None:
        client = redis.asyncio.Redis.from_url(self._url, socket_connect_timeout=1, socket_keepalive=True)
        async with client, client.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(CHANNEL)
            await client.ping()
            self._subscribed.set()
            async for message in subscription.listen():
                for viewer in self._viewers:
                    viewer.hint(message["data"].decode())


sessions = import_module(settings.SESSION_ENGINE)
hub = Hub(settings.REDIS_URL)


async def live(request: Request) -> Response:
    """The stream of hints. 401 without a login, 403 for a page of another host, 404 for another team's application, 503
    while Redis is away.
    """
    allowed = cors(request)
    if allowed is None:
        return PlainTextResponse("Live updates are for the panel's own pages.", 403)
    slug = request.query_params.get("application", "")
    status, problem = await sync_to_async(judged)(request.cookies.get(settings.SESSION_COOKIE_NAME, ""), slug)
    if problem:
        return PlainTextResponse(problem, status, allowed)
    viewer = Viewer(slug)
    if not await hub.join(viewer):
        return PlainTextResponse("Live updates are away; the page polls.", 503, allowed)
    headers = {**allowed, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream(viewer), 200, headers, "text/event-stream")


async def stream(viewer: Viewer) -> AsyncIterator[str]:
    """Hints and pings until the viewer leaves, Redis goes away, or the session is to be judged again."""
    end = asyncio.get_running_loop().time() + LONGEST_SECONDS
    try:
        yield PING
        while asyncio.get_running_loop().time() < end:
            said = await _next(viewer)
            if viewer.gone:
                return
            yield said
            await asyncio.sleep(viewer.pause)
    finally:
        hub.leave(viewer)


async def _next(viewer: Viewer) -> str:
    try:
        await asyncio.wait_for(viewer.news.wait(), PING_SECONDS)
    except TimeoutError:
        return PING
    viewer.news.clear()
    return HINT


def cors(request: Request) -> dict[str, str] | None:
    """Headers that let a page of the same host, on whatever port, read the stream. None for any other page."""
    origin = request.headers.get("origin")
    if origin is None:
        return {}
    page, here = urlsplit(origin), urlsplit(f"//{request.headers.get('host', '')}")
    if page.scheme not in ("http", "https") or page.hostname != here.hostname:
        return None
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}


def judged(session_key: str, slug: str) -> tuple[int, str]:
    """Why this session may not have the hints of `slug`, or of all that it sees without one: status and sentence."""
    try:
        request = HttpRequest()
        request.session = sessions.SessionStore(session_key)
        user = get_user(request)
        if not (user.is_authenticated and user.is_active):
            return 401, "Log in to the panel first."
        if slug and (UNSTORABLE.search(slug) or not owned(Application.objects.filter(slug=slug), user).exists()):
            return 404, f"There is no application {slug[:60]!r}."
        return 200, ""
    finally:
        connections.close_all()


async def healthz(_request: Request) -> Response:
    """The process lives; nothing is asked of anybody."""
    return PlainTextResponse("ok")


application = Starlette(routes=[Route("/live/", live), Route("/live", live), Route("/healthz", healthz)])
