"""Lambda execution environments: processes of AWS's own runtime client against the Lambda runtime API.

Every environment polls a port of its own, so the port says which environment calls. A few start at a time and the
others wait for their turn: a hundred that start at once get so little of the machine that none is ready in time.
Source: Lambda Developer Guide, "Using the Lambda runtime API", "Lambda execution environment lifecycle".
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from lab.lambda_ import FunctionSettings
from lab.runtime import children
from lab.start_throttle import StartThrottle

HANDLER = "api_service.lambda_handler.handler"
API = "/2018-06-01/runtime"
SHUTDOWN_SECONDS = 0.5
INIT_SECONDS = 10.0
MOST_STARTING = 4 * (os.cpu_count() or 1)
_log = logging.getLogger(__name__)


class FunctionError(Exception):
    """The function raised, or its process ended."""


@dataclass
class Invocation:
    id: str
    event: bytes
    seconds: float
    result: asyncio.Future[bytes]


@dataclass
class Process:
    """What runs an environment: a process of the runtime client, and the port that it polls."""

    child: subprocess.Popen[bytes]
    port: int
    listener: asyncio.Task[asyncio.Server]


@dataclass
class Running:
    """One environment; ``process`` is None until its turn comes; ``ready`` is done once it asks for an invocation."""

    id: str
    function: FunctionSettings
    ready: asyncio.Future[None]
    process: Process | None = None
    refused: bool = False
    todo: asyncio.Queue[Invocation | None] = field(default_factory=asyncio.Queue)
    current: Invocation | None = None

    @property
    def ended(self) -> bool:
        return self.refused or (self.process is not None and self.process.child.poll() is not None)


class EnvironmentProcesses:
    """Runs environments and hands them invocations."""

    def __init__(self, logs: Path, clock: Callable[[], float] = time.time) -> None:
        self._logs = logs
        self._clock = clock
        self._running: dict[str, Running] = {}
        self._by_port: dict[int, str] = {}
        self._waiting: deque[str] = deque()
        self._starting: set[str] = set()
        self._throttles: defaultdict[str, StartThrottle] = defaultdict(StartThrottle)
        self._closed = False
        self._server = web.Server(self._answer)
        self._ended: list[subprocess.Popen[bytes]] = []
        self._calls: set[asyncio.Task[None]] = set()

    def start(self, environment_id: str, function: FunctionSettings) -> None:
        """Soon: it waits for its turn, and is dead at once while the function's environments do not start."""
        self._running[environment_id] = Running(environment_id, function, asyncio.get_running_loop().create_future())
        self._waiting.append(environment_id)
        self._start_waiting()

    def alive(self, environment_id: str) -> bool:
        running = self._running.get(environment_id)
        return running is not None and not running.ended

    def stop(self, environment_id: str) -> None:
        """SIGKILL, as Lambda ends an environment without extensions."""
        running = self._running.pop(environment_id, None)
        if running is None:  # the lab ends
            return
        running.todo.put_nowait(None)
        if running.process:
            self._kill(running.process)
        if environment_id in self._starting:
            self._starting.discard(environment_id)
            self._throttles[running.function.arn].failed(self._clock())
        self._start_waiting()

    async def invoke(self, environment_id: str, event: bytes, seconds: float) -> bytes:
        """The function's answer within ``seconds`` of its environment being ready.

        Raises TimeoutError, also for an environment that is not ready within INIT_SECONDS, or FunctionError where it
        failed.
        """
        running = self._running.get(environment_id)
        if running is None or running.ended:
            raise FunctionError("Runtime exited")
        result: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        running.current = Invocation(str(uuid.uuid4()), event, seconds, result)
        running.todo.put_nowait(running.current)
        try:
            if not running.ready.done():
                either: set[asyncio.Future[Any]] = {running.ready, result}
                done, _ = await asyncio.wait(either, timeout=INIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                seconds = seconds if done else 0.0
            return await asyncio.wait_for(result, seconds)
        finally:
            running.current = None

    def call(
        self, environment_id: str, event: bytes, seconds: float, done: Callable[[bytes | None, float], None]
    ) -> None:
        """``invoke`` for the model, which does not wait."""
        task = asyncio.get_running_loop().create_task(self._call(environment_id, event, seconds, done))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _call(
        self, environment_id: str, event: bytes, seconds: float, done: Callable[[bytes | None, float], None]
    ) -> None:
        answer = None
        with contextlib.suppress(FunctionError, TimeoutError):
            answer = await self.invoke(environment_id, event, seconds)
        done(answer, time.time())

    def watch(self) -> None:
        """Fails the invocations whose process has ended. Call it every moment."""
        for running in self._running.values():
            invocation = running.current
            if invocation and not invocation.result.done() and running.ended:
                invocation.result.set_exception(FunctionError("Runtime exited"))

    async def wait_polling(self, deadline: float) -> None:
        """Waits until every environment has asked for its first invocation."""
        while not all(running.ready.done() for running in self._running.values()):
            dead = next((each for each in self._running.values() if each.ended), None)
            if dead or time.time() > deadline:
                name = dead.function.name if dead else "some function"
                raise FunctionError(f"An environment of {name} did not start: see {self._logs}/function-{name}.log.")
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        self._closed = True
        for call in self._calls:
            call.cancel()
        for environment_id in list(self._running):
            self.stop(environment_id)
        children.end(self._ended, patience=0.0)
        await self._server.shutdown(SHUTDOWN_SECONDS)

    def _start_waiting(self) -> None:
        while self._waiting and len(self._starting) < MOST_STARTING and not self._closed:
            running = self._running.get(self._waiting.popleft())
            if running is None:
                continue
            if not self._throttles[running.function.arn].allows(self._clock()):
                running.refused = True
                continue
            try:
                running.process = self._run(running)
            except OSError:
                _log.exception("An environment of %s cannot be started", running.function.name)
                running.refused = True
                self._throttles[running.function.arn].failed(self._clock())
                continue
            self._starting.add(running.id)
            self._by_port[running.process.port] = running.id

    def _run(self, running: Running) -> Process:
        function, listening = running.function, socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        variables = {
            **function.variables,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": running.id,
            "AWS_REGION": function.arn.split(":")[3],
            "LAMBDA_TASK_ROOT": str(children.ROOT),
        }
        child = children.start("awslambdaric", [HANDLER], variables, self._logs / f"function-{function.name}.log")
        loop = asyncio.get_running_loop()
        return Process(child, port, loop.create_task(loop.create_server(self._server, sock=listening)))

    def _kill(self, process: Process) -> None:
        process.child.kill()
        del self._by_port[process.port]
        self._ended = [child for child in [*self._ended, process.child] if child.poll() is None]
        process.listener.add_done_callback(_close_listener)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        running = self._caller(request)
        if running is None:
            return web.Response(status=410)
        if request.path == f"{API}/invocation/next":
            return await self._next(running)
        if request.path == f"{API}/init/error":
            return web.Response(status=202)
        _, _, call = request.path.partition(f"{API}/invocation/")
        invocation_id, _, kind = call.partition("/")
        self._settle(running, invocation_id, kind, await request.content.read())
        return web.json_response({"status": "OK"}, status=202)

    def _caller(self, request: web.BaseRequest) -> Running | None:
        address = request.transport.get_extra_info("sockname") if request.transport else None
        return self._running.get(self._by_port.get(address[1], "")) if address else None

    async def _next(self, running: Running) -> web.Response:
        if not running.ready.done():
            running.ready.set_result(None)
            self._starting.discard(running.id)
            self._throttles[running.function.arn].reset()
            self._start_waiting()
        invocation = await running.todo.get()
        if invocation is None:
            return web.Response(status=410)
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": running.function.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{invocation.id.replace('-', '')[:24]}",
        }
        return web.Response(body=invocation.event, headers=headers)

    def _settle(self, running: Running, invocation_id: str, kind: str, body: bytes) -> None:
        """An answer that comes after its invocation timed out is dropped."""
        invocation = running.current
        if invocation is None or invocation.id != invocation_id or invocation.result.done():
            return
        if kind == "response":
            invocation.result.set_result(body)
        else:
            invocation.result.set_exception(FunctionError(_error_message(body)))


def _close_listener(task: asyncio.Task[asyncio.Server]) -> None:
    task.result().close()


def _error_message(body: bytes) -> str:
    try:
        return str(json.loads(body).get("errorMessage", "Unhandled"))
    except (ValueError, AttributeError, RecursionError):
        return "Unhandled"
