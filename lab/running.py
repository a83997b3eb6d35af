"""The running lab: the model in real time on real processes."""

import asyncio
import contextlib
import fcntl
import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web

from lab import api, server
from lab.calls import Calls
from lab.cloud import Cloud
from lab.runtime import children
from lab.runtime.balancer import Balancers
from lab.runtime.containers import ContainerProcesses, LoopbackNetwork
from lab.runtime.environments import EnvironmentProcesses
from lab.runtime.outgoing import OutgoingHttp
from lab.scenario import LoadTable
from lab.stage import Stage
from lab.wire.dispatch import Endpoint
from lab.world import Application, Outside, World
from lab.worldfile import WorldTable

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104 - for a container, which has addresses of its own
DEFAULT_PORT = 4566
STATE_FILE = "lab.json"
TICK_SECONDS = 0.1
WARM_UP_SECONDS = 60.0
SHUTDOWN_SECONDS = 1.0
# What clients send until somebody asks for something else.
CALM = LoadTable(rate=8.0)


class LabError(Exception):
    """The lab cannot start; the message is a sentence that says why and what to do."""


def listen(port: int | None, host: str = LOOPBACK) -> socket.socket:
    """A listening socket: the given port, else 4566 or the next free one; on loopback by default. Raises LabError."""
    wanted = range(DEFAULT_PORT, DEFAULT_PORT + 100) if port is None else [port]
    for each in wanted:
        with contextlib.suppress(OSError):
            return socket.create_server((host, each))
    raise LabError(f"Port {wanted[0]} is taken: choose another one with --port, or stop what listens there.")


def claim(state_dir: Path) -> TextIO:
    """Locks the state directory for as long as the answer stays open. Raises LabError."""
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        lock = (state_dir / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LabError(f"Another lab uses {state_dir}: choose another directory with --state-dir.") from error
    except OSError as error:
        raise LabError(f"The state directory {state_dir} cannot be used: {error.strerror}.") from error
    return lock


def abandon(state_dir: Path) -> None:
    """What is left of an end in order when there is no time for it: every process is killed, lab.json removed."""
    children.kill_all()
    (state_dir / STATE_FILE).unlink(missing_ok=True)


def _emptied(logs: Path) -> Path:
    """The directory without the logs of an earlier lab."""
    logs.mkdir(exist_ok=True)
    for log in logs.glob("*.log"):
        log.unlink()
    return logs


class Lab:
    """Create it inside a running event loop; ``start``, then ``run`` until cancelled, then ``close``."""

    def __init__(self, table: WorldTable, listening: socket.socket, state_dir: Path) -> None:
        logs = _emptied(state_dir / "logs")
        self._listening = listening
        self._logs = logs
        self._state_file = state_dir / STATE_FILE
        self._network = LoopbackNetwork(os.getpid())
        self._containers = ContainerProcesses(logs)
        self._environments = EnvironmentProcesses(logs)
        self._http = OutgoingHttp()
        outside = Outside(self._containers, self._environments, self._http, self._network)
        self.cloud = Cloud(table, outside, time.time())
        self._balancers = {
            slug: Balancers(self.cloud.home(slug).functions, self._environments, time.time)
            for slug in self.cloud.applications
        }
        endpoint = Endpoint(Calls(self.cloud), api.answered(), self.cloud.faults)
        self.stage = Stage(self.cloud)
        self._clients: list[subprocess.Popen[bytes]] = []
        app = server.application(self.cloud, endpoint, self.stage, self._containers.pid)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handler_cancellation=True)

    async def start(self) -> dict[str, Any]:
        """Opens every port, waits for warm environments, writes lab.json; returns what it wrote."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._listening).start()
        applications = self.cloud.applications
        urls = {slug: await each.serve(applications[slug].load_balancer) for slug, each in self._balancers.items()}
        await self._environments.wait_polling(time.time() + WARM_UP_SECONDS)
        description = self._description(urls)
        partial = self._state_file.with_suffix(".partial")
        partial.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        partial.replace(self._state_file)
        return description

    def send_traffic(self) -> None:
        """Starts clients that send what the stage asks for, little at first; they end with the lab."""
        for slug in self.cloud.applications:
            self.stage.loads.setdefault(slug, CALM)
        arguments = ["--lab", str(self._state_file.resolve())]
        self._clients.append(children.start("lab.traffic", arguments, {}, self._logs / "traffic.log"))

    async def run(self) -> None:
        """Moves the cloud for ever; what fails while a scenario is played ends that alone."""
        while True:
            now = time.time()
            try:
                self._environments.watch()
                self.stage.advance(now)
                self.cloud.advance(now)
            except Exception as error:
                if not self.stage.fail(error, now):
                    raise
            await asyncio.sleep(TICK_SECONDS)

    async def close(self) -> None:
        """Ends every process, closes every port and removes lab.json."""
        self._state_file.unlink(missing_ok=True)
        children.end(self._clients, patience=0.0)
        await asyncio.gather(
            self._http.close(),
            self._environments.close(),
            self._runner.cleanup(),
            *(each.close() for each in self._balancers.values()),
        )
        self._containers.close()
        self._network.close()

    def _description(self, urls: dict[str, list[str]]) -> dict[str, Any]:
        # What listens on every address is reached by loopback too, and what else is told here is on loopback alone.
        return {
            "endpoint": f"http://{LOOPBACK}:{self._listening.getsockname()[1]}",
            "region": self.cloud.region,
            "account": self.cloud.account,
            "pid": os.getpid(),
            "applications": {
                slug: _describe(each, self.cloud.home(slug), urls[slug])
                for slug, each in self.cloud.applications.items()
            },
        }


def _describe(application: Application, home: World, urls: list[str]) -> dict[str, Any]:
    return {
        "name": application.name,
        "account": home.account,
        "region": home.region,
        "urls": urls,
        "function_name": application.function.settings.name,
        "reserved_concurrency": application.function.reserved,
        "lambda_target_group_arn": application.lambda_group.arn,
        "ecs_target_group_arn": application.ecs_group.arn,
        "load_balancer_arn": application.load_balancer.arn,
        "listener_arn": application.listener.arn,
        "rule_arns": [rule.arn for rule in application.listener.rules if not rule.is_default],
        "cluster": application.service.cluster,
        "service": application.service.name,
        "alarms": [alarm.settings.name for alarm in application.alarms],
    }
