"""Lambda execution environments: processes of AWS's own runtime client against the Lambda runtime API.

Every environment polls a port of its own, so the port says which environment calls.
Source: Lambda Developer Guide, "Using the Lambda runtime API".
"""

import asyncio
import contextlib
import json
import socket
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from lab.lambda_ import FunctionSettings
from lab.runtime import children

HANDLER = "api_service.lambda_handler.handler"
API = "/2018-06-01/runtime"
SHUTDOWN_SECONDS = 0.5


class FunctionError(Exception):
    """The function raised, or its process ended."""


@dataclass
class Invocation:
    id: str
    event: bytes
    deadline: float
    result: asyncio.Future[bytes]


@dataclass
class Running:
    """One environment's process and port."""

    function: FunctionSettings
    process: subprocess.Popen[bytes]
    listener: asyncio.Task[asyncio.Server]
    todo: asyncio.Queue[Invocation | None] = field(default_factory=asyncio.Queue)
    current: Invocation | None = None
    polled: bool = False


class EnvironmentProcesses:
    """Runs environments and hands them invocations."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, Running] = {}
        self._by_port: dict[int, str] = {}
        self._server = web.Server(self._answer)
        self._ended: list[subprocess.Popen[bytes]] = []
        self._calls: set[asyncio.Task[None]] = set()

    def start(self, environment_id: str, function: FunctionSettings) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        loop = asyncio.get_running_loop()
        listener = loop.create_task(loop.create_server(self._server, sock=listening))
        variables = {
            **function.variables,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": environment_id,
            "AWS_REGION": function.arn.split(":")[3],
            "LAMBDA_TASK_ROOT": str(children.ROOT),
        }
        log = self._logs / f"function-{function.name}.log"
        process = children.start("awslambdaric", [HANDLER], variables, log)
        self._running[environment_id] = Running(function, process, listener)
        self._by_port[port] = environment_id

    def alive(self, environment_id: str) -> bool:
        return self._running[environment_id].process.poll() is None

    def stop(self, environment_id: str) -> None:
        """SIGKILL, as Lambda ends an environment without extensions."""
        running = self._running.pop(environment_id)
        self._by_port = {port: each for port, each in self._by_port.items() if each != environment_id}
        running.process.kill()
        running.todo.put_nowait(None)
        self._ended = [process for process in [*self._ended, running.process] if process.poll() is None]
        running.listener.add_done_callback(_close_listener)

    async def invoke(self, environment_id: str, event: bytes, seconds: float) -> bytes:
        """The function's answer within ``seconds``. Raises TimeoutError, or FunctionError where it failed."""
        running = self._running[environment_id]
        result: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        running.current = Invocation(str(uuid.uuid4()), event, time.time() + seconds, result)
        running.todo.put_nowait(running.current)
        try:
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
            if invocation and not invocation.result.done() and running.process.poll() is not None:
                invocation.result.set_exception(FunctionError("Runtime exited"))

    async def wait_polling(self, deadline: float) -> None:
        """Waits until every environment has asked for its first invocation."""
        while not all(running.polled for running in self._running.values()):
            dead = next((each for each in self._running.values() if each.process.poll() is not None), None)
            if dead or time.time() > deadline:
                name = dead.function.name if dead else "some function"
                raise FunctionError(f"An environment of {name} did not start: see {self._logs}/function-{name}.log.")
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        for call in self._calls:
            call.cancel()
        for environment_id in list(self._running):
            self.stop(environment_id)
        for process in self._ended:
            process.wait()
        await self._server.shutdown(SHUTDOWN_SECONDS)

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
        running.polled = True
        invocation = await running.todo.get()
        if invocation is None:
            return web.Response(status=410)
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
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
    except (ValueError, AttributeError):
        return "Unhandled"
