"""How requests go out: writes once, reads again in `standard` mode; and whose credentials sign them.

Source: boto3 guide "Retries" (standard mode retries time-outs, throttling and 5xx); STS API reference, AssumeRole; IAM
user guide, "The confused deputy problem". botocore renews credentials with less than 10 minutes left before a call.
"""

from datetime import UTC, datetime, timedelta

import pytest

from failover import aws
from failover.aws import calls
from failover.aws.roles import session_name
from failover.model import Application, Part, Route, SetDesiredCount
from failover.ports import AwsError
from tests.failover.aws.counting import serving

ROLE = "arn:aws:iam::222233334444:role/failover"
ELB = "arn:aws:elasticloadbalancing:eu-west-1:222233334444"
SERVICE = '{"services": [], "failures": [{"arn": "service/checkout", "reason": "MISSING"}]}'
UPDATED = '{"service": {}}'


def application(**more) -> Application:
    return Application(
        slug="checkout", name="Checkout", region="eu-west-1", alarms=("busy",), function_name="checkout",
        lambda_target_group_arn=f"{ELB}:targetgroup/lambda/1", cluster="apis", service="checkout",
        ecs_target_group_arn=f"{ELB}:targetgroup/ecs/2", routes=(Route(f"{ELB}:listener/app/apis/3/4"),), **more,
    )  # fmt: skip


def error(code: str, message: str = "…") -> str:
    return f'{{"__type": "{code}", "message": "{message}"}}'


@pytest.fixture
def server(monkeypatch):
    with serving(lambda _: (500, "")) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OWN")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        # Retries wait a random time up to a second, then two, then four: nobody needs to wait for that here.
        monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
        yield running


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (None, "unanswered"),
        ((500, error("ServerException")), "unanswered"),
        ((503, ""), "unanswered"),
        ((400, error("ThrottlingException")), "throttled"),
    ],
)
def test_a_write_is_sent_once_whatever_comes_back(server, answer, kind):
    server.answer = lambda _: answer
    with pytest.raises(AwsError) as caught:
        aws.connect(application()).write(SetDesiredCount(2))
    assert (caught.value.kind, server.count("UpdateService")) == (kind, 1)


@pytest.mark.parametrize("answer", [None, (500, error("ServerException")), (400, error("ThrottlingException"))])
def test_a_read_is_tried_four_times(server, answer):
    server.answer = lambda _: answer
    reading = aws.connect(application()).observe({Part.SERVICE}).service
    assert (reading.value, server.count("DescribeServices")) == (None, 4)


def test_a_read_that_succeeds_on_the_second_try_is_known(server):
    server.answer = lambda _: (400, error("ThrottlingException")) if len(server.requests) < 2 else (200, SERVICE)
    assert "MISSING" in aws.connect(application()).observe({Part.SERVICE}).service.problem
    assert server.count("DescribeServices") == 2


# ---- a role of the application's account ----


def credentials(number: int, minutes: float) -> str:
    ends = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = f"<AccessKeyId>ASSUMED{number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    given = f"<Credentials>{keys}<SessionToken>t</SessionToken><Expiration>{ends}</Expiration></Credentials>"
    user = "<AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId><Arn>arn:aws:sts::222233334444:assumed-role/failover/b</Arn></AssumedRoleUser>"  # noqa: E501
    result = f"<AssumeRoleResult>{given}{user}</AssumeRoleResult>"
    return f'<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{result}</AssumeRoleResponse>'


def assuming(server, minutes: float):
    def answer(request):
        if request.operation == "AssumeRole":
            return 200, credentials(server.count("AssumeRole"), minutes)
        return 200, SERVICE if request.operation == "DescribeServices" else UPDATED

    return answer


def test_a_role_is_assumed_once_with_its_external_id_and_a_session_named_after_the_application(server):
    server.answer = assuming(server, 60)
    adapter = aws.connect(application(role_arn=ROLE, external_id="team-7"))
    adapter.observe({Part.SERVICE})
    adapter.write(SetDesiredCount(2))
    asked, *calls = server.requests
    assert asked.form["RoleArn"] == ROLE
    assert (asked.form["ExternalId"], asked.form["RoleSessionName"]) == ("team-7", "failover-checkout")
    assert (asked.key, {call.key for call in calls}) == ("OWN", {"ASSUMED1"})


def test_credentials_that_are_about_to_end_are_renewed_before_the_next_call(server):
    server.answer = assuming(server, 5)
    adapter = aws.connect(application(role_arn=ROLE))
    adapter.observe({Part.SERVICE})
    renewed = server.count("AssumeRole")
    server.answer = assuming(server, 60)
    adapter.write(SetDesiredCount(2))
    assert server.count("AssumeRole") == renewed + 1
    assert server.requests[-1].key == f"ASSUMED{renewed + 1}"


@pytest.mark.parametrize(
    ("external_id", "hint"), [("team-7", "sts:ExternalId = 'team-7'"), ("", "application.external_id is empty")]
)
def test_a_denied_role_is_named_with_what_its_trust_policy_must_say(server, external_id, hint):
    said = f"User: arn:aws:sts::111122223333:assumed-role/panel/x is not authorized to perform: sts:AssumeRole on resource: {ROLE}"  # noqa: E501
    denied = f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{said}</Message></Error></ErrorResponse>"
    server.answer = lambda _: (403, denied)
    adapter = aws.connect(application(role_arn=ROLE, external_id=external_id))
    with pytest.raises(AwsError, match=f"{ROLE} can't be assumed") as caught:
        adapter.write(SetDesiredCount(2))
    assert caught.value.kind == "denied"
    assert f"Grant sts:AssumeRole on {ROLE} to arn:aws:iam::111122223333:role/panel." in caught.value.remedy
    assert hint in caught.value.remedy
    problem = adapter.observe({Part.SERVICE}).service.problem
    assert hint in problem
    assert server.count("UpdateService") == 0


def test_a_write_whose_role_gets_no_answer_was_never_sent(server):
    server.answer = lambda _: None
    with pytest.raises(AwsError) as caught:
        aws.connect(application(role_arn=ROLE)).write(SetDesiredCount(2))
    assert (caught.value.kind, server.count("UpdateService")) == ("unreachable", 0)


def test_a_session_name_is_never_longer_than_aws_takes():
    assert len(session_name(Application(**{**vars(application()), "slug": "a" * 60}))) == 64


# ---- who wants to know of calls ----


@pytest.fixture
def heard(monkeypatch):
    found = []
    monkeypatch.setattr(calls, "_listeners", [])
    calls.tell(lambda call: found.append((call.action, call.outcome, call.code, call.attempts)))
    return found


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((200, SERVICE), ("ok", "", 1)),
        ((400, error("ThrottlingException")), ("throttled", "ThrottlingException", 4)),
        ((400, error("AccessDeniedException")), ("refused", "AccessDeniedException", 1)),
        (None, ("unanswered", "ConnectionClosedError", 1)),
    ],
)
def test_every_call_is_told_with_what_came_of_it(server, heard, answer, told):
    server.answer = lambda _: answer
    aws.connect(application()).observe({Part.SERVICE})
    assert heard == [("ecs:DescribeServices", *told)]
