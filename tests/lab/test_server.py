"""The lab's port: switches over HTTP, answers that do not come, and accounts in lab.json."""

import json
import threading
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from lab.faults import SWITCHES
from lab.process import start_lab

pytestmark = pytest.mark.lab

TWO_ACCOUNTS = """
account = "111111111111"

[users.shop]
access_key_id = "AKIASHOP"
account = "222222222222"

[applications.checkout.function]
warm_environments = 0

[applications.search]
account = "222222222222"
region = "sa-east-1"
[applications.search.function]
warm_environments = 1
"""


def ask(endpoint, method, body=None):
    """Status and content of ``/_lab/faults``."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{endpoint}/_lab/faults", data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def faults(running):
    """Turns switches of the session's lab, and mends all of them afterwards."""

    def turn(switch, value, application=""):
        return ask(running.endpoint, "PUT", {"switch": switch, "application": application, "value": value})

    yield turn
    ask(running.endpoint, "DELETE")


@pytest.fixture
def impatient(running):
    """A client that waits for half a second and asks once."""
    session = boto3.Session("lab", "lab", region_name="eu-west-1")
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=0.5)
    return session.client("ecs", endpoint_url=running.endpoint, config=config)


def scale(client, count):
    client.update_service(cluster="apis", service="narrow", desiredCount=count)


def desired(aws):
    (service,) = aws("ecs").describe_services(cluster="apis", services=["narrow"])["services"]
    return service["desiredCount"]


def test_every_switch_is_shown_with_what_it_does(running):
    status, shown = ask(running.endpoint, "GET")
    assert status == 200
    assert [each["name"] for each in shown["switches"]] == [each.name for each in SWITCHES]
    for each in shown["switches"]:
        assert each["title"]
        assert each["meaning"]
        assert each["kind"] in {"flag", "number", "names"}
        assert each["scope"] in {"application", "account"}
        assert bool(each["unit"]) == (each["kind"] == "number")
    assert shown["on"] == []


def test_a_switch_is_turned_and_everything_is_mended(running, faults):
    assert faults("metrics_missing", True, "checkout")[0] == 200
    status, shown = faults("api_outage", ["elbv2"])
    assert status == 200
    assert shown["on"] == [
        {"switch": "metrics_missing", "application": "checkout", "value": True},
        {"switch": "api_outage", "application": "", "value": ["elbv2"]},
    ]
    assert faults("metrics_missing", None, "checkout")[1]["on"] == shown["on"][1:]
    assert ask(running.endpoint, "DELETE")[1]["on"] == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"switch": "nonsense", "value": True}, "There is no switch 'nonsense'"),
        ({"switch": "api_latency", "value": "slow"}, "api_latency takes a number of seconds, 0 or more, not 'slow'."),
        ({"switch": "api_latency", "application": "checkout", "value": 1}, "takes no application"),
        (
            {"switch": "metrics_missing", "application": "none", "value": True},
            "There is no application 'none'; there are",
        ),
        ({"value": True}, "The body must be"),
        ([], "The body must be"),
    ],
)
def test_a_wrong_switch_is_a_400_with_a_sentence(running, body, sentence):
    status, answer = ask(running.endpoint, "PUT", body)
    assert status == 400
    assert sentence in answer["error"]
    assert ask(running.endpoint, "GET")[1]["on"] == []


def test_a_switch_breaks_the_running_api(aws, faults):
    faults("api_outage", ["ecs"])
    with pytest.raises(ClientError) as down:
        aws("ecs").list_tasks(cluster="apis")
    assert down.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert aws("elbv2").describe_load_balancers()["LoadBalancers"]


def test_a_silent_api_lets_a_client_wait_and_does_nothing(aws, faults, impatient):
    faults("api_silent", ["ecs"])
    with pytest.raises(ReadTimeoutError):
        scale(impatient, 2)
    faults("api_silent", None)
    assert desired(aws) == 0


def test_a_lost_answer_closes_the_connection_after_the_write(aws, faults, impatient):
    faults("api_answer_lost", ["ecs:UpdateService"])
    with pytest.raises(ConnectionClosedError):
        scale(impatient, 1)
    faults("api_answer_lost", None)
    try:
        assert desired(aws) == 1
    finally:
        scale(impatient, 0)


def test_a_slow_api_has_done_it_when_the_client_gave_up(aws, faults, impatient):
    faults("api_latency", 30)
    with pytest.raises(ReadTimeoutError):
        scale(impatient, 1)
    faults("api_latency", None)
    try:
        assert desired(aws) == 1
    finally:
        scale(impatient, 0)


@pytest.fixture
def two_accounts(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(TWO_ACCOUNTS)
    with start_lab(path, tmp_path / "state", port=0) as lab:
        yield lab


def test_the_record_of_calls_has_each_round_trip_with_the_latency_that_is_switched_on(running, faults, aws):
    def round_trips():
        with urllib.request.urlopen(f"{running.endpoint}/_lab/calls", timeout=5) as response:
            return json.load(response)["round_trips"]

    faults("api_latency", 0.2)
    before = len(round_trips())
    aws("ecs").list_clusters()
    [trip] = round_trips()[before:]
    assert trip["seconds"] >= 0.2


def test_a_lab_with_two_accounts_and_a_call_that_hangs(two_accounts):
    """lab.json says whose each application is, each account answers and serves its own, and silence holds up no end."""
    lab = two_accounts
    applications = lab.description["applications"]
    assert lab.description["account"] == applications["checkout"]["account"] == "111111111111"
    assert (applications["search"]["account"], applications["search"]["region"]) == ("222222222222", "sa-east-1")
    with urllib.request.urlopen(f"{applications['search']['urls'][0]}/env", timeout=10) as answer:
        assert answer.headers["X-Lab-Pool"] == "lambda"

    client = boto3.Session("AKIASHOP", "x", region_name="sa-east-1").client(
        "elbv2", endpoint_url=lab.endpoint, config=Config(retries={"total_max_attempts": 1}, read_timeout=60)
    )
    (balancer,) = client.describe_load_balancers()["LoadBalancers"]
    assert balancer["LoadBalancerArn"] == applications["search"]["load_balancer_arn"]

    ask(lab.endpoint, "PUT", {"switch": "api_silent", "value": ["all"]})
    hanging = threading.Thread(target=lambda: heard.append(_heard(client)))
    heard = []
    hanging.start()
    while _calls(lab.endpoint).get("elbv2:DescribeLoadBalancers") != 2:
        assert hanging.is_alive(), "the call came back"
    lab.process.terminate()
    assert lab.process.wait(10) == 0
    hanging.join(10)
    assert heard == ["nothing"]


def _calls(endpoint):
    with urllib.request.urlopen(f"{endpoint}/_lab/calls", timeout=5) as response:
        return json.load(response)["by_action"]


def _heard(client):
    try:
        return client.describe_load_balancers()
    except Exception:  # noqa: BLE001 - whichever way the connection ends
        return "nothing"
