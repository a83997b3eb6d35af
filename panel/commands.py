"""The command lines of the panel's processes, the same for `make run`, for tests and in an image.

Nothing here needs Django or Celery.
"""

from __future__ import annotations

import sys
from pathlib import Path

from panel import queues

Command = tuple[str, ...]
_FOLDER = Path(__file__).resolve().parent


def manage(*arguments: str) -> Command:
    """One of Django's management commands."""
    return (sys.executable, str(_FOLDER.parent / "manage.py"), *arguments)


def web(host: str, port: int) -> Command:
    """Pages, API, webhook and health checks."""
    return web_server("panel.wsgi:application", host, port)


def web_server(application: str, host: str, port: int) -> Command:
    """Serves a WSGI application as the panel is served."""
    return _module(
        *("gunicorn", application, "--bind", f"{host}:{port}"),
        # Events that wait in threads are stored together (panel.ingest.together): more threads, larger groups.
        *("--worker-class", "gthread", "--workers", "2", "--threads", "48", "--graceful-timeout", "5"),
        # It would lie in the home directory, one for all that this user runs.
        "--no-control-socket",
        *("--logger-class", "panel.gunicorn_logs.Logger"),
    )


def live(host: str, port: int) -> Command:
    return _module(
        *("uvicorn", "panel.live:application", "--host", host, "--port", str(port), "--lifespan", "off"),
        # A browser that watches never closes its stream by itself.
        *("--timeout-graceful-shutdown", "2"),
        # Without handlers of its own its lines go where all others go; it logs no address that was asked for.
        *("--log-config", str(_FOLDER / "uvicorn_logs.json"), "--no-access-log"),
    )


def worker(name: str) -> Command:
    """The worker for one kind of work, a name in `queues.WORKERS`."""
    served, threads = queues.WORKERS[name]
    return _celery(
        *("worker", "--queues", ",".join(served), "--concurrency", str(threads), "--loglevel", "INFO"),
        *("--hostname", f"{name}@%h"),
        # They tell other workers what those do not need to know, or wait for workers that do not exist.
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


def beat() -> Command:
    return _celery("beat", "--loglevel", "INFO")


def _celery(*arguments: str) -> Command:
    # Without its banner: every line of a log is one of our own.
    return _module("celery", "--app", "panel", "--quiet", *arguments)


def _module(name: str, *arguments: str) -> Command:
    return (sys.executable, "-m", name, *arguments)
