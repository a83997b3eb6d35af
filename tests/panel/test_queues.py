"""An account that does not answer delays no other: real workers, and an AWS of which one account stays silent."""

import copy
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from panel import dispatch, queues
from panel.celery import app
from panel.fleet import snapshots
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Operation
from tests.panel.conftest import ACCOUNT, DOCUMENT
from tests.panel.test_worker import WORKER, Until, part, until

__all__ = ["until"]

SILENT_ACCOUNT = "999999999999"
DENIED_JSON = json.dumps({"__type": "AccessDeniedException", "message": "denied"})
DENIED_XML = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>denied</Message></Error></ErrorResponse>"


class Aws:
    """Denies everything at once, but for what names a silent application: that is left without an answer."""

    def __init__(self) -> None:
        self.waiting = 0
        self.over = threading.Event()
        aws = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if b"silent" in body or b"silent" in self.path.encode():
                    aws.waiting += 1
                    aws.over.wait()
                asked_in_xml = "urlencoded" in self.headers.get("Content-Type", "")
                answer = (DENIED_XML if asked_in_xml else DENIED_JSON).encode()
                self.send_response(403)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                with suppress(BrokenPipeError):  # who asked has given up
                    self.wfile.write(answer)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                """Not on the tests' output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def half_silent() -> Iterator[Aws]:
    aws = Aws()
    thread = threading.Thread(target=aws.server.serve_forever)
    thread.start()
    yield aws
    aws.over.set()
    aws.server.shutdown()
    thread.join()


def application_of(account: str, slug: str) -> Application:
    document = json.loads(json.dumps(copy.deepcopy(DOCUMENT)).replace(ACCOUNT, account).replace("checkout", slug))
    document["ecs"]["cluster"] = slug
    document["application"]["alarms"] = [slug]
    document["routes"][0]["listener_arn"] += slug
    return import_document(document, slug).application


def failover(application: Application) -> Operation:
    return services.request_operation(application, "failover", trigger="manual", reason="a test")


@contextmanager
def workers(folder: Path, broker: str, aws: str) -> Iterator[None]:
    """The workers as the stack starts them."""
    with ExitStack() as stack:
        for name, (served, threads) in queues.WORKERS.items():
            arguments = ("--queues", ",".join(served), "--concurrency", str(threads), "--hostname", f"{name}@test")
            stack.enter_context(part(folder / f"{name}.log", broker, "worker", *arguments, "--without-mingle", aws=aws))
        yield


@pytest.mark.full
@pytest.mark.timeout(240)
@pytest.mark.django_db(transaction=True)
def test_one_silent_account_delays_no_step_and_no_sweep_of_another(
    valkey: str, half_silent: Aws, tmp_path: Path, until: Until
) -> None:
    silent = [application_of(SILENT_ACCOUNT, f"silent{number}") for number in range(queues.WORKERS["steps"][1] + 1)]
    other = application_of(ACCOUNT, "checkout")
    stuck = [failover(each) for each in silent]
    with workers(tmp_path, valkey, half_silent.endpoint):
        dispatch.wake("fleet.sweep", silent[0].pk)
        busy = queues.STEPS_AT_ONCE_OF_AN_ACCOUNT + 1
        until(lambda: half_silent.waiting >= busy, "as many waits for the silent account as it may have")
        mine = failover(other)
        dispatch.wake("fleet.sweep", other.pk)
        until(said(mine), "the other account's step")
        until(lambda: snapshots.latest(other) is not None, "the other account's sweep")
        answered = [snapshots.latest(each) for each in silent]
        steps = [Operation.objects.get(pk=each.pk).headline for each in stuck]
        half_silent.over.set()
    assert set(steps) == {""}, "a step of the silent account had ended before"
    assert set(answered) == {None}, "the sweep of the silent account had ended before"


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_told_to_end_finishes_its_step(
    valkey: str, half_silent: Aws, tmp_path: Path, until: Until
) -> None:
    operation = failover(application_of(SILENT_ACCOUNT, "silent"))
    with part(tmp_path / "steps.log", valkey, *WORKER, aws=half_silent.endpoint) as worker:
        until(lambda: half_silent.waiting > 0, "the step's first question")
        worker.terminate()
        until(lambda: "Warm shutdown" in (tmp_path / "steps.log").read_text(), "the worker's answer to SIGTERM")
        half_silent.over.set()
        assert worker.wait(60) == 0
    assert said(operation)()
    assert Operation.objects.get().lease_holder == "", "the lease was given back"


def said(operation: Operation) -> Callable[[], bool]:
    return lambda: Operation.objects.get(pk=operation.pk).headline != ""


@pytest.mark.parametrize(
    ("task", "arguments", "queue"),
    [
        ("operations.step", (1,), "steps"),
        ("ingest.process", (1,), "events"),
        ("fleet.sweep", (1,), "observe"),
        ("fleet.heartbeat", ("events",), "events"),
        ("fleet.heartbeat", (0,), "panel"),
        ("fleet.heartbeat", ("elsewhere",), "panel"),
        ("operations.sweep", (), "panel"),
    ],
)
def test_each_kind_of_work_has_its_queue(task: str, arguments: tuple[Any, ...], queue: str) -> None:
    assert app.amqp.router.route({}, task, arguments)["queue"].name == queue


def test_every_queue_is_served() -> None:
    assert {queue for served, _ in queues.WORKERS.values() for queue in served} == set(queues.ALL)


def test_the_workers_that_step_are_not_asked_to_follow_schedules_or_to_delete_what_is_old() -> None:
    steps, _ = queues.WORKERS[queues.STEPS]
    for task in ("drills.sweep", "notify.forget_old", "probing.forget_old", "probing.round", "notify.deliver"):
        assert queues.queue_of(task) not in steps, task


def test_the_documented_workers_are_those_that_there_are() -> None:
    text = Path("docs/observability.md").read_text(encoding="utf-8").partition("## Workers and queues")[2]
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in text.splitlines() if line.startswith("| `")]
    told = {name.strip("`"): (tuple(re.findall(r"`(\w+)`", served)), int(count)) for name, served, count in rows}
    assert told == dict(queues.WORKERS)
    commands = Path("docs/deployment.md").read_text(encoding="utf-8")
    assert [name for name in queues.WORKERS if f"`python -m panel worker-{name}` |" not in commands] == []
