"""The panel's processes: web, live, a worker for each kind of work, and beat."""

import sys
from collections.abc import Mapping

from panel import queues
from stack.loopback import answers, listens
from stack.part import Part
from stack.settings import ROOT


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
        # On SIGTERM it finishes its tasks and ends, at once when it has none. A task that takes longer is cut off, and
        # found again by a sweep: tasks are idempotent.
        *(Part(f"worker-{name}", _worker(name), env, grace_seconds=15) for name in queues.WORKERS),
        Part("beat", _celery("beat", "--loglevel", "INFO"), env, ready=answers(f"{url}/readyz")),
    ]


def web_server(application: str, host: str, port: int) -> tuple[str, ...]:
    """The command line that serves a WSGI application as the panel is served."""
    return _module(
        *("gunicorn", application, "--bind", f"{host}:{port}"),
        # Events that wait in threads are stored together (panel.ingest.together): more threads, larger groups.
        *("--worker-class", "gthread", "--workers", "2", "--threads", "32", "--graceful-timeout", "5"),
        # It would lie in the home directory, one for all that this user runs.
        "--no-control-socket",
        *("--logger-class", "panel.gunicorn_logs.Logger"),
    )


def _live(port: int) -> tuple[str, ...]:
    return _module(
        *("uvicorn", "panel.live:application", "--host", "127.0.0.1", "--port", str(port), "--lifespan", "off"),
        # A browser that watches never closes its stream by itself.
        *("--timeout-graceful-shutdown", "2"),
        # Without handlers of its own its lines go where all others go; it logs no address that was asked for.
        *("--log-config", str(ROOT / "panel" / "uvicorn_logs.json"), "--no-access-log"),
    )


def _worker(name: str) -> tuple[str, ...]:
    served, processes = queues.WORKERS[name]
    return _celery(
        *("worker", "--queues", ",".join(served), "--concurrency", str(processes), "--loglevel", "INFO"),
        *("--hostname", f"{name}@%h"),
        # Both make a lone worker wait for others that do not exist.
        *("--without-gossip", "--without-mingle"),
    )


def _celery(*arguments: str) -> tuple[str, ...]:
    # Without its banner: every line of a log is one of our own.
    return _module("celery", "--app", "panel", "--quiet", *arguments)


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)
