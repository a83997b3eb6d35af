"""The lab's page over HTTP, and a lab that is started with clients and a scenario. The lab's own, not AWS's."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.page_routes import DIRECTORY
from lab.process import start_lab

pytestmark = pytest.mark.lab

WORLD = """
[applications.checkout.function]
warm_environments = 1
"""


def fetch(endpoint, path, method="GET", body=None, **headers):
    """Status, headers and content."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{endpoint}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def ask(endpoint, path, method="GET", body=None, **headers):
    status, _, content = fetch(endpoint, path, method, body, **headers)
    return status, json.loads(content)


@pytest.mark.parametrize("path", ["/_lab", "/_lab/"])
def test_the_page_is_served_under_a_policy_that_allows_nothing_from_elsewhere(running, path):
    status, headers, content = fetch(running.endpoint, path)
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert b"http://" not in content.replace(b"http://www.w3.org", b"")
    assert b"https://" not in content
    assert b"style=" not in content


def test_every_file_of_the_page_is_served_with_its_type_and_nothing_else_is(running):
    kinds = {".js": "/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
    for each in DIRECTORY.iterdir():
        status, headers, _ = fetch(running.endpoint, f"/_lab/page/{each.name}")
        assert (status, headers["X-Content-Type-Options"]) == (200, "nosniff")
        assert kinds[each.suffix] in headers["Content-Type"], each.name
    assert fetch(running.endpoint, "/_lab/page/nothing.js")[0] == 404
    assert fetch(running.endpoint, "/_lab/page/..%2Fserver.py")[0] == 404


def test_the_view_is_of_the_first_application_or_of_the_one_asked_for(running):
    assert ask(running.endpoint, "/_lab/view")[1]["application"] == "checkout"
    status, shown = ask(running.endpoint, "/_lab/view?application=narrow")
    assert (status, shown["application"]) == (200, "narrow")
    assert {each["slug"] for each in shown["applications"]} == {"checkout", "narrow"}


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("application=nothing", 404, "There is no application 'nothing'; there are checkout, narrow."),
        ("since=yesterday", 400, "since is a time in epoch seconds, not 'yesterday'."),
    ],
)
def test_a_view_that_cannot_be_is_a_sentence(running, query, status, sentence):
    assert ask(running.endpoint, f"/_lab/view?{query}") == (status, {"error": sentence})


def test_a_request_is_seen_with_its_true_cause(running):
    """Application Load Balancers guide, "Use Lambda functions as targets": a function that is not run is a 502."""
    url = running.description["applications"]["narrow"]["urls"][1]
    ask(running.endpoint, "/_lab/accidents", "POST", accident("set_reserved_concurrency", reserved=0))
    try:
        assert fetch(url, "/bang")[0] == 502
    finally:
        ask(running.endpoint, "/_lab/accidents", "POST", accident("set_reserved_concurrency", reserved=1))
    assert seen(running.endpoint, "narrow", ["b", "lambda", 502, "Lambda throttled"])


def accident(name, application="narrow", **values):
    return {"application": application, "accident": name, "with": values}


def seen(endpoint, slug, wanted):
    """Waits until the second of an answer is over, and with it told."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        answers = ask(endpoint, f"/_lab/view?application={slug}")[1]["answers"]
        if wanted in [each[1:5] for each in answers]:
            return True
        time.sleep(0.1)
    return False


def test_accidents_are_described_and_happen(running, aws):
    status, shown = ask(running.endpoint, "/_lab/accidents")
    assert status == 200
    assert "set_alarm_actions" in [each["name"] for each in shown]
    body = accident("set_alarm_actions", "checkout", alarm="checkout-lambda-throttles", enabled=False)
    status, happened = ask(running.endpoint, "/_lab/accidents", "POST", body)
    assert (status, happened["accident"]) == (200, "set_alarm_actions")
    (alarm,) = aws("cloudwatch").describe_alarms(AlarmNames=["checkout-lambda-throttles"])["MetricAlarms"]
    assert not alarm["ActionsEnabled"]
    body["with"]["enabled"] = True
    ask(running.endpoint, "/_lab/accidents", "POST", body)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (accident("kill_task"), "No task of narrow runs"),
        (accident("kill_task", "nothing"), "There is no application 'nothing'; there are checkout, narrow."),
        (accident("set_weights", lambda_=1000, ecs=0), "AWS refuses it (ValidationError): Weight '1000'"),
        ({"accident": "kill_task"}, "The body must be"),
        ([], "The body must be a JSON object."),
    ],
)
def test_an_accident_that_cannot_happen_is_a_400_with_a_sentence(running, body, sentence):
    status, answer = ask(running.endpoint, "/_lab/accidents", "POST", body)
    assert status == 400
    assert sentence in answer["error"]


def test_no_other_site_lets_accidents_happen(running):
    status, answer = ask(running.endpoint, "/_lab/accidents", "POST", accident("deploy"), Origin="https://evil.example")
    assert status == 403
    assert "Only the lab's own page" in answer["error"]
    status, _ = ask(running.endpoint, "/_lab/accidents", "POST", accident("kill_task"), Origin=running.endpoint)
    assert status == 400


@pytest.fixture
def started(tmp_path):
    """A lab as the command line starts it; answers with what it printed and its description."""
    (tmp_path / "world.toml").write_text(WORLD)
    state = tmp_path / "state"
    with ExitStack() as labs:

        def start(*options):
            lab = labs.enter_context(start_lab(tmp_path / "world.toml", state, port=0, options=options))
            return lab.process, printed_by(lab.process, state / "output.log"), lab.description

        yield start


def printed_by(process, log):
    """Everything up to its last line, which comes after lab.json."""
    while not (printed := log.read_text()).endswith("Ctrl-C ends it.\n"):
        assert process.poll() is None, printed
        time.sleep(0.05)
    return printed


def clients_of(process):
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [each for each in children if b"lab.traffic" in Path(f"/proc/{each}/cmdline").read_bytes()]


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_scenario_from_the_command_line_is_played_under_traffic_that_ends_with_the_lab(started):
    process, printed, described = started("--scenario", "surge")
    endpoint = described["endpoint"]
    assert f"{endpoint}/_lab/" in printed
    assert ask(endpoint, "/_lab/scenario")[1]["scenario"]["title"] == "Surge"
    assert seen(endpoint, "checkout", ["a", "lambda", 200, ""])
    (client,) = clients_of(process)
    process.terminate()
    process.wait(10)
    assert not lives(client)


def test_a_lab_without_clients_sends_nothing(started):
    process, _, described = started()
    assert clients_of(process) == []
    assert ask(described["endpoint"], "/_lab/scenario")[1]["loads"] == {}


def test_a_scenario_that_this_world_has_no_application_for_is_one_sentence(tmp_path):
    (tmp_path / "world.toml").write_text("[applications.other.function]\nwarm_environments = 0\n")
    arguments = ["--world", str(tmp_path / "world.toml"), "--state-dir", str(tmp_path / "state"), "--port", "0"]
    command = [sys.executable, "-m", "lab", *arguments, "--scenario", "surge"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "There is no application 'checkout' in this lab.\n"
