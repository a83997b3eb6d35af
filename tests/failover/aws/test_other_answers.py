"""What answers in AWS's place (a proxy's page, JSON of something else) is unknown or unanswered, and never a crash.

A real HTTP server behind unmodified boto3.
"""

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from failover import aws
from failover.aws import clients
from failover.aws.fleet import Fleet, Pace
from failover.aws.lease import TableLease
from failover.aws.parameters import read_parameter
from failover.config import ConfigError
from failover.model import Bounds, Part, SetBounds, SetDesiredCount, SetSplit, Split
from failover.ports import AwsError
from tests.failover.aws.account import Account, RefusedError

PAGE = ("text/html; charset=utf-8", b"<!DOCTYPE html><html><body><p>Log in to the network</body></html>")
ANSWERS = {
    "page": PAGE,
    "nothing": ("application/json", b""),
    "empty": ("application/x-amz-json-1.1", b"{}"),
    "list": ("application/x-amz-json-1.1", b"[]"),
    "null": ("application/x-amz-json-1.1", b"null"),
    "words": ("text/plain", b"It works!"),
    "xml": ("text/xml", b"<Other><Thing/></Other>"),
    "types": ("application/x-amz-json-1.1", b'{"services": 7, "ScalableTargets": "x", "Item": [], "AccountLimit": 1}'),
}


@pytest.fixture
def server(monkeypatch):
    class Handler(BaseHTTPRequestHandler):
        answer = PAGE

        def do_POST(self):
            kind, body = self.answer
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - http.server's name

        def log_message(self, *_):
            """Quiet."""

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{found.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    yield Handler
    found.shutdown()
    found.server_close()
    thread.join()


@pytest.fixture(params=sorted(ANSWERS))
def answered(request, server):
    server.answer = ANSWERS[request.param]
    return request.param


@pytest.fixture
def application():
    return replace(Account().add(), prewarm_alarms=("api-1-prewarm",))


def test_every_part_that_says_what_there_is_becomes_unknown_with_a_sentence(answered, application):
    seen = aws.connect(application).observe()
    for reading in (seen.service, seen.targets, seen.limits, seen.routes, seen.alarms):
        assert reading.value is None
        assert reading.problem.endswith(".")


def test_a_page_says_what_it_was_and_what_to_check(server, application):
    seen = aws.connect(application).observe()
    for reading in (seen.alarms, seen.prewarm, seen.routes, seen.service, seen.scaling, seen.metrics, seen.limits):
        assert reading.value is None
        assert "no usable answer (ResponseParserError: " in reading.problem
        assert "proxy" in reading.problem
        assert len(reading.problem) < 400


def test_a_fleet_is_unknown_too(answered, application):
    seen = Fleet(clients.readers(application), Pace()).observe([application])[application.slug]
    assert (seen.service.value, seen.routes.value, seen.alarms.value) == (None, None, None)


@pytest.mark.parametrize("action", [SetDesiredCount(2), SetSplit("", Split(0, 100), before=Split(100, 0))])
def test_a_write_may_or_may_not_have_taken_effect(answered, application, action):
    if isinstance(action, SetSplit):
        action = replace(action, route_arn=application.routes[0].arn)
    with pytest.raises(AwsError) as caught:
        aws.connect(application).write(action)
    assert caught.value.kind in ("unanswered", "missing")
    assert "\n" not in str(caught.value)


def test_a_page_is_no_answer_to_any_write(server, application):
    with pytest.raises(AwsError) as caught:
        aws.connect(application).write(SetBounds(Bounds(0, 2)))
    assert caught.value.kind == "unanswered"


@pytest.mark.parametrize("kind", ["page", "types", "list"])
def test_a_lease_is_not_thought_to_be_held(server, application, kind):
    server.answer = ANSWERS[kind]
    lease = TableLease(aws.lease_client(application), "leases", application.slug)
    with pytest.raises(AwsError) as caught:
        lease.claim()
    assert caught.value.kind in ("unanswered", "invalid")
    assert lease.seconds_left() == 0


def test_a_parameter_is_not_guessed_at(answered):
    with pytest.raises(AwsError, match="no usable answer"):
        read_parameter("checkout")


def test_a_role_is_not_thought_to_be_assumed(server, application):
    assumed = replace(application, role_arn="arn:aws:iam::111122223333:role/failover")
    assert "can't be assumed" in aws.connect(assumed).observe({Part.ALARMS}).alarms.problem


def test_prewarm_alarms_that_can_not_be_read_are_unknown():
    account = Account()
    application = replace(account.add(), prewarm_alarms=("api-1-prewarm",))
    account.failing["DescribeAlarms"] = RefusedError("AccessDenied", "no")
    found = aws.Adapter(application, account.clients()).observe({Part.PREWARM}).prewarm
    assert "cloudwatch:DescribeAlarms on api-1-prewarm: AccessDenied" in found.problem


@pytest.mark.parametrize(
    ("name", "value"), [("AWS_ENDPOINT_URL", "lab"), ("AWS_PROFILE", "nowhere"), ("AWS_DEFAULTS_MODE", "fast")]
)
@pytest.mark.parametrize("build", [clients.build, clients.readers, clients.lease_client])
def test_an_sdk_that_can_not_start_is_a_sentence(monkeypatch, application, name, value, build):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="The AWS SDK can't start: "):
        build(application)
