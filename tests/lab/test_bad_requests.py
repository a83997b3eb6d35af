"""Requests that no client of good faith sends: they are answered, and the lab goes on.

Application Load Balancers guide, "Troubleshoot your Application Load Balancers": 400 for what is no HTTP, 405 for
TRACE, 413 for a body that is too large.
"""

import json
import socket
import urllib.request
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from lab.runtime.balancer import MOST_BODY_BYTES
from lab.server import MOST_BYTES

pytestmark = pytest.mark.lab

DEEP = b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
DEEP_ITEM = b'{"TableName": "leases", "Item": {"a": ' + b'{"L": [' * 400 + b"]}" * 400 + b"}}"


def status_of(url, lines, body=b""):
    """The status that the lines of a request, as they are, are answered with."""
    address = urlsplit(url)
    length = f"Content-Length: {len(body)}".encode()
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(b"\r\n".join([*lines, length, b"Connection: close", b"", b""]) + body)
        return int(client.makefile("rb").readline().split()[1])


@pytest.mark.parametrize(
    ("request_line", "header", "expected"),
    [
        (b"OPTIONS * HTTP/1.1", b"X-A: b", 400),
        (b"CONNECT example.org:443 HTTP/1.1", b"X-A: b", 400),
        (b"TRACE /env HTTP/1.1", b"X-A: b", 405),
        (b"GET /env HTTP/1.1", b"X-A: \xff\xfe", 400),
        (b"GET /env\xff HTTP/1.1", b"X-A: b", 400),
        (b"GET /env HTTP/1.1", "X-A: \u65e5".encode(), 200),
        (b"GET http://example.org/env HTTP/1.1", b"X-A: b", 200),
    ],
)
def test_a_load_balancer_answers_what_it_cannot_pass_on(checkout, request_line, header, expected):
    assert status_of(checkout["urls"][0], [request_line, b"Host: example.org", header]) == expected
    with urllib.request.urlopen(checkout["urls"][0] + "/env", timeout=10) as answer:
        assert answer.status == 200


def test_a_body_that_the_lab_does_not_keep_is_a_413_for_every_target(checkout):
    client = HTTPConnection(urlsplit(checkout["urls"][0]).netloc, timeout=20)
    client.request("POST", "/env", body=b"x" * (MOST_BODY_BYTES + 1))
    answer = client.getresponse()
    assert (answer.status, answer.headers["X-Lab-Pool"]) == (413, None)
    client.close()


@pytest.mark.parametrize("host", [b"example.org", b"127.0.0.1.example.org", b"10.0.0.1:80", b"[::1", b"\xff", b""])
@pytest.mark.parametrize("what", [b"/_lab/", b"/_lab/state", b"//_lab/state", b"/%5Flab/state", b"/_lab/page/main.js"])
def test_the_labs_own_pages_are_not_shown_under_a_foreign_name(running, host, what):
    assert status_of(running.endpoint, [b"GET " + what + b" HTTP/1.1", b"Host: " + host]) == 403


@pytest.mark.parametrize("host", [b"localhost", b"localhost:4566", b"127.0.0.1:80", b"127.1.2.3", b"[::1]:80"])
def test_they_are_under_every_name_of_this_machine(running, host):
    assert status_of(running.endpoint, [b"GET /_lab/state HTTP/1.1", b"Host: " + host]) == 200


def test_aws_is_asked_under_any_name(running):
    """Whoever runs the lab may give its endpoint a name of AWS's."""
    lines = [b"POST / HTTP/1.1", b"Host: sts.amazonaws.com", signed("sts")]
    assert status_of(running.endpoint, lines, b"Action=GetCallerIdentity&Version=2011-06-15") == 200


def signed(service):
    credential = f"Credential=lab/20260101/eu-west-1/{service}/aws4_request"
    return f"Authorization: AWS4-HMAC-SHA256 {credential}".encode()


@pytest.mark.parametrize("body", [DEEP, DEEP_ITEM], ids=["any", "an attribute value"])
def test_json_that_is_nested_too_deeply_is_a_400_of_the_api(running, body):
    lines = [b"POST / HTTP/1.1", b"Host: localhost", signed("dynamodb"), b"X-Amz-Target: DynamoDB_20120810.PutItem"]
    assert len(body) < MOST_BYTES
    assert status_of(running.endpoint, lines, body) == 400


@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("PUT", "destination"),
        ("PUT", "faults"),
        ("PUT", "scenario"),
        ("PUT", "loads"),
        ("POST", "accidents"),
    ],
)
def test_json_that_is_nested_too_deeply_is_a_400_of_the_labs_own(running, method, what):
    line = f"{method} /_lab/{what} HTTP/1.1".encode()
    assert status_of(running.endpoint, [line, b"Host: localhost"], DEEP) == 400


@pytest.mark.parametrize(
    ("load", "sentence"),
    [
        ({"rate": 1001}, "the load: rate: 1001 is more than 1000 requests a second."),
        ({"rate": 10**400}, "the load: rate: the number is too large."),
        ({"rate": 1, "slow_percent": 101}, "the load: slow_percent: 101 is more than 100."),
    ],
)
def test_a_load_that_cannot_be_sent_is_a_400_with_a_sentence(running, load, sentence):
    body = json.dumps({"application": "checkout", **load}).encode()
    client = HTTPConnection(urlsplit(running.endpoint).netloc, timeout=10)
    client.request("PUT", "/_lab/loads", body=body)
    answer = client.getresponse()
    assert (answer.status, json.load(answer)) == (400, {"error": sentence})
    client.close()
