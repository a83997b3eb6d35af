"""The panel's four processes: web, live, worker and beat."""

import sys
from collections.abc import Mapping

from stack.loopback import answers, listens
from stack.part import Part
from stack.settings import ROOT

_WORKERS = 3


def manage(*arguments: str) -> tuple[str, ...]:
    """The command line of one of Django's management commands."""
    return (sys.executable, str(ROOT / "manage.py"), *arguments)


def panel_parts(env: Mapping[str, str], host: str, port: int, live_port: int) -> list[Part]:
    """The parts in the order in which they start; `env` is the panel's environment.

    The last one is ready when `/readyz` says so: then the database, the broker and both heartbeats were seen.
    """
    url = f"http://127.0.0.1:{port}"
    env = {**env, "PANEL_LIVE_PORT": str(live_port)}
    return [
        Part("web", web_server("panel.wsgi:application", host, port), env, ready=answers(f"{url}/healthz")),
        Part("live", _live(live_port), env, ready=listens(live_port)),
        # On SIGTERM it finishes its tasks and ends, at once when it has none. (Its "soft shutdown" always waits its
        # whole time-out.) A task that takes longer is cut off and handed out again: tasks are idempotent.
        Part("worker", _worker(), env, grace_seconds=15),
        Part(
            "beat", _module("celery", "-A", "panel", "beat", "--loglevel", "INFO"), env, ready=answers(f"{url}/readyz")
        ),
    ]


def web_server(application: str, host: str, port: int) -> tuple[str, ...]:
    """The command line that serves a WSGI application as the panel is served."""
    return _module(
        *("gunicorn", application, "--bind", f"{host}:{port}"),
        # Events that wait in threads are stored together (panel.ingest.together): more threads, larger groups.
        *("--worker-class", "gthread", "--workers", "2", "--threads", "32", "--graceful-timeout", "5"),
        # It would lie in the home directory, one for all that this user runs.
        "--no-control-socket",
    )


def _live(port: int) -> tuple[str, ...]:
    return _module(
        *("uvicorn", "panel.live:application", "--host", "127.0.0.1", "--port", str(port), "--lifespan", "off"),
        # A browser that watches never closes its stream by itself.
        *("--timeout-graceful-shutdown", "2"),
    )


def _worker() -> tuple[str, ...]:
    return _module(
        *("celery", "-A", "panel", "worker", "--concurrency", str(_WORKERS), "--loglevel", "INFO"),
        # Both make a lone worker wait for others that do not exist.
        *("--without-gossip", "--without-mingle"),
    )


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)
