"""The routes. Every answer is `{"message": …}`."""

import asyncio
import os

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from api_service.settings import Settings, from_environ


async def root(request: Request) -> JSONResponse:
    """Answer at once, so that an ALB health check passes within its 5 s, unless a delay is asked for."""
    await asyncio.sleep(_settings(request).root_delay_seconds)
    return _message("healthy")


async def bang(_request: Request) -> JSONResponse:
    return _message("boom")


async def pong(_request: Request) -> JSONResponse:
    return _message("ping")


async def sleep(request: Request) -> JSONResponse:
    """A request that is long in flight: what a careless shift or scale-in cuts."""
    await asyncio.sleep(_settings(request).sleep_seconds)
    return _message("awaken")


async def env(request: Request) -> JSONResponse:
    return _message(_settings(request).place)


async def refused(_request: Request, error: Exception) -> JSONResponse:
    """An unknown path or method, answered in the shape of all other answers."""
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"message": error.detail}, error.status_code, error.headers)


def create_app(settings: Settings) -> Starlette:
    app = Starlette(
        routes=[Route("/", root), *(Route(f"/{route.__name__}", route) for route in (bang, pong, sleep, env))],
        exception_handlers={HTTPException: refused},
    )
    app.state.settings = settings
    return app


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _message(text: str) -> JSONResponse:
    return JSONResponse({"message": text})


app = create_app(from_environ(os.environ))
