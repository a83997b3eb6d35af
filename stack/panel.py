"""The panel's processes: web, live, a worker for each kind of work, and beat."""

from collections.abc import Mapping
from functools import partial

from panel import commands, queues
from panel.commands import manage, web_server
from stack.loopback import answers, listens
from stack.part import Part

__all__ = ["manage", "panel_parts", "web_server"]


def panel_parts(env: Mapping[str, str], host: str, port: int, live_port: int) -> list[Part]:
    """The parts in the order in which they start; `env` is the panel's environment.

    The last one is ready when `/readyz` says so: then the database, the broker and both heartbeats were seen.
    """
    url = f"http://127.0.0.1:{port}"
    env = {**env, "PANEL_LIVE_PORT": str(live_port)}
    part = partial(Part, env=env, preloaded="panel.preloaded")
    return [
        part("web", commands.web(host, port), ready=answers(f"{url}/healthz")),
        part("live", commands.live("127.0.0.1", live_port), ready=listens(live_port)),
        # On SIGTERM it finishes its tasks and ends, at once when it has none. A task that takes longer is cut off, and
        # found again by a sweep: tasks are idempotent.
        *(part(f"worker-{name}", commands.worker(name), grace_seconds=15) for name in queues.WORKERS),
        part("beat", commands.beat(), ready=answers(f"{url}/readyz")),
    ]
