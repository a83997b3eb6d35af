"""Who calls, sessions of roles, and what is denied, as boto3 sees it.

STS API Reference, ``AssumeRole`` (sessions of 900 s to the role's maximum, chained ones of an hour at the most),
``GetCallerIdentity`` (needs no permission); IAM User Guide, "How to use an external ID", "Cross-account policy
evaluation logic" and "Troubleshoot access denied error messages"; each service's "Common Errors".
"""

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from lab.virtual import VirtualLab
from lab.worldfile import WorldError, load
from tests.lab.on_virtual import Wire

HERE, THERE = "111111111111", "222222222222"
WORLD = f"""
account = "{HERE}"
unknown_keys = "refused"

[users.admin]
access_key_id = "AKIAADMIN"

[users.reader]
access_key_id = "AKIAREADER"
[[users.reader.policy]]
actions = ["ecs:Describe*", "elasticloadbalancing:Describe*", "cloudwatch:DescribeAlarms"]
resources = ["*"]

[users.nobody]
access_key_id = "AKIANOBODY"
policy = []

[users.controller]
access_key_id = "AKIACONTROLLER"
[[users.controller.policy]]
actions = ["ecs:UpdateService"]
resources = ["arn:aws:ecs:*:{HERE}:service/apis/checkout"]
conditions = {{ ArnEquals = {{ "ecs:cluster" = ["arn:aws:ecs:*:{HERE}:cluster/apis"] }} }}
[[users.controller.policy]]
actions = ["sts:AssumeRole"]
resources = ["arn:aws:iam::{THERE}:role/panel"]
[[users.controller.policy]]
effect = "Deny"
actions = ["lambda:*"]
resources = ["*"]

[roles.panel]
account = "{THERE}"
trust = ["arn:aws:iam::{HERE}:root"]
external_id = "team-a"
[[roles.panel.policy]]
actions = ["ecs:DescribeServices", "sts:AssumeRole"]
resources = ["*"]

[roles.further]
account = "{THERE}"
trust = ["arn:aws:iam::{THERE}:role/panel"]
max_session_seconds = 43200

[roles.long]
trust = ["arn:aws:iam::{HERE}:user/nobody", "arn:aws:iam::{HERE}:user/admin"]
max_session_seconds = 7200

[applications.checkout]
[[applications.checkout.alarms]]
name = "load"
metric = "Throttles"
statistic = "Sum"
threshold = 1

[applications.search]
account = "{THERE}"
"""
PANEL, FURTHER = f"arn:aws:iam::{THERE}:role/panel", f"arn:aws:iam::{THERE}:role/further"
LONG = f"arn:aws:iam::{HERE}:role/long"


@pytest.fixture
def virtual(virtual_of):
    return virtual_of(WORLD)


@pytest.fixture
def wire(virtual):
    return Wire(virtual)


def refusal(call, **given):
    """Code, HTTP status and message of a call that is refused."""
    with pytest.raises(ClientError) as refused:
        call(**given)
    error, metadata = refused.value.response["Error"], refused.value.response["ResponseMetadata"]
    return error["Code"], metadata["HTTPStatusCode"], error["Message"]


def assume(wire, key="AKIACONTROLLER", role=PANEL, external_id="team-a", **given):
    extra = {"ExternalId": external_id} if external_id else {}
    return wire.client("sts", key).assume_role(RoleArn=role, RoleSessionName="night", **extra, **given)


CALLS = [
    ("ecs", "list_tasks", {}),
    ("elbv2", "describe_load_balancers", {}),
    ("cloudwatch", "describe_alarms", {}),
    ("lambda", "get_account_settings", {}),
    ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "ecs"}),
    ("sts", "get_caller_identity", {}),
    ("dynamodb", "get_item", {"TableName": "t", "Key": {"k": {"S": "1"}}}),
]


@pytest.mark.parametrize(
    ("service", "operation", "given"), CALLS, ids=lambda each: each if isinstance(each, str) else ""
)
def test_an_unknown_key_is_refused_as_each_service_says_it(wire, service, operation, given):
    expected = {
        "elbv2": ("InvalidClientTokenId", 403),
        "cloudwatch": ("InvalidClientTokenId", 403),
        "sts": ("InvalidClientTokenId", 403),
        "lambda": ("UnrecognizedClientException", 403),
    }.get(service, ("UnrecognizedClientException", 400))
    code, status, message = refusal(getattr(wire.client(service, "lab"), operation), **given)
    assert (code, status, message) == (*expected, "The security token included in the request is invalid.")


@pytest.mark.parametrize(
    ("service", "operation", "given", "action", "expected"),
    [
        ("ecs", "list_tasks", {"cluster": "apis"}, "ecs:ListTasks", ("AccessDeniedException", 400)),
        ("elbv2", "describe_rules", {}, "elasticloadbalancing:DescribeRules", ("AccessDenied", 403)),
        ("cloudwatch", "describe_alarm_history", {}, "cloudwatch:DescribeAlarmHistory", ("AccessDenied", 403)),
        ("lambda", "get_account_settings", {}, "lambda:GetAccountSettings", ("AccessDeniedException", 403)),
        (
            "application-autoscaling",
            "describe_scalable_targets",
            {"ServiceNamespace": "ecs"},
            "application-autoscaling:DescribeScalableTargets",
            ("AccessDeniedException", 400),
        ),
        (
            "dynamodb",
            "get_item",
            {"TableName": "t", "Key": {"k": {"S": "1"}}},
            "dynamodb:GetItem",
            ("AccessDeniedException", 400),
        ),
    ],
)
def test_what_no_policy_allows_is_denied_as_each_service_says_it(wire, service, operation, given, action, expected):
    code, status, message = refusal(getattr(wire.client(service, "AKIANOBODY"), operation), **given)
    assert (code, status) == expected
    who = f"User: arn:aws:iam::{HERE}:user/nobody is not authorized to perform: {action} on resource: "
    assert message.startswith(who)
    assert message.endswith(f" because no identity-based policy allows the {action} action")


def test_a_denial_names_the_resource(wire):
    given = {"cluster": "apis", "service": "other", "desiredCount": 1}
    _, _, message = refusal(wire.client("ecs", "AKIACONTROLLER").update_service, **given)
    assert f"on resource: arn:aws:ecs:eu-west-1:{HERE}:service/apis/other because" in message


def test_an_explicit_deny_says_so(wire):
    _, _, message = refusal(wire.client("lambda", "AKIACONTROLLER").get_account_settings)
    assert message.endswith(
        "lambda:GetAccountSettings on resource: * with an explicit deny in an identity-based policy"
    )


def test_what_is_denied_has_no_effect(wire, virtual):
    given = {"cluster": "apis", "service": "checkout", "desiredCount": 3}
    refusal(wire.client("ecs", "AKIAREADER").update_service, **given)
    assert virtual.cloud.applications["checkout"].service.desired == 0
    wire.client("ecs", "AKIACONTROLLER").update_service(**given)
    assert virtual.cloud.applications["checkout"].service.desired == 3


def test_a_condition_on_the_cluster_holds_for_that_cluster_alone(wire):
    client = wire.client("ecs", "AKIACONTROLLER")
    assert client.update_service(cluster="apis", service="checkout", desiredCount=0)
    arn = f"arn:aws:ecs:eu-west-1:{HERE}:cluster/apis"
    assert client.update_service(cluster=arn, service="checkout", desiredCount=0)
    code, _, _ = refusal(client.update_service, cluster="other", service="checkout", desiredCount=0)
    assert code == "AccessDeniedException"


def test_every_service_of_a_call_must_be_allowed(wire, virtual):
    client = wire.client("ecs", "AKIAREADER")
    assert client.describe_services(cluster="apis", services=["checkout", "nobody"])["failures"]


def test_composite_alarms_need_the_permission_on_everything(tmp_path):
    """CloudWatch API Reference, ``DescribeAlarms``."""
    policy = f'[{{actions = ["cloudwatch:*"], resources = ["arn:aws:cloudwatch:eu-west-1:{HERE}:alarm:load"]}}]'
    text = WORLD.replace("policy = []", f"policy = {policy}")
    (tmp_path / "world.toml").write_text(text)
    client = Wire(VirtualLab(load(tmp_path / "world.toml"))).client("cloudwatch", "AKIANOBODY")
    assert client.describe_alarms(AlarmNames=["load"])["MetricAlarms"]
    types = ["MetricAlarm", "CompositeAlarm"]
    assert "on resource: *" in refusal(client.describe_alarms, AlarmNames=["load"], AlarmTypes=types)[2]


def test_caller_identity_is_the_truth_and_needs_no_permission(wire):
    user = wire.client("sts", "AKIANOBODY").get_caller_identity()
    assert (user["Account"], user["Arn"]) == (HERE, f"arn:aws:iam::{HERE}:user/nobody")
    assert user["UserId"].startswith("AIDA")
    session = wire.as_session("sts", assume(wire)["Credentials"]).get_caller_identity()
    assert (session["Account"], session["Arn"]) == (THERE, f"arn:aws:sts::{THERE}:assumed-role/panel/night")
    assert session["UserId"].startswith("AROA")
    assert session["UserId"].endswith(":night")


def test_a_session_may_what_its_role_may(wire):
    ecs = wire.as_session("ecs", assume(wire)["Credentials"])
    (service,) = ecs.describe_services(cluster="apis", services=["search"])["services"]
    assert f":{THERE}:" in service["serviceArn"]
    _, _, message = refusal(ecs.update_service, cluster="apis", service="search", desiredCount=1)
    assert message.startswith(f"User: arn:aws:sts::{THERE}:assumed-role/panel/night is not authorized")


@pytest.mark.parametrize(
    ("key", "role", "external_id"),
    [
        ("AKIACONTROLLER", PANEL, ""),
        ("AKIACONTROLLER", PANEL, "team-b"),
        ("AKIACONTROLLER", LONG, ""),
        ("AKIAADMIN", f"arn:aws:iam::{THERE}:role/none", ""),
    ],
    ids=["no external id", "a wrong external id", "not trusted", "no such role"],
)
def test_a_role_that_does_not_trust_the_caller_is_not_assumed(wire, key, role, external_id):
    name = {"AKIACONTROLLER": "controller", "AKIAADMIN": "admin"}[key]
    with pytest.raises(ClientError) as refused:
        assume(wire, key, role, external_id)
    error = refused.value.response["Error"]
    sentence = f"User: arn:aws:iam::{HERE}:user/{name} is not authorized to perform: sts:AssumeRole on resource: {role}"
    assert (error["Code"], error["Message"]) == ("AccessDenied", sentence)


def test_across_accounts_the_callers_own_policy_must_allow_it_too(wire):
    with pytest.raises(ClientError, match="because no identity-based policy allows the sts:AssumeRole action"):
        assume(wire, "AKIAREADER")


def test_within_an_account_a_trust_that_names_the_user_is_enough(wire):
    assert assume(wire, "AKIANOBODY", LONG, "")["Credentials"]


@pytest.mark.parametrize(
    ("service", "operation", "given", "expected"),
    [
        ("ecs", "list_tasks", {}, ("ExpiredTokenException", 400)),
        ("elbv2", "describe_load_balancers", {}, ("ExpiredToken", 403)),
        ("cloudwatch", "describe_alarms", {}, ("ExpiredToken", 403)),
        ("lambda", "get_account_settings", {}, ("ExpiredTokenException", 403)),
        ("sts", "get_caller_identity", {}, ("ExpiredToken", 403)),
    ],
)
def test_a_session_ends(wire, virtual, service, operation, given, expected):
    credentials = assume(wire, DurationSeconds=900)["Credentials"]
    assert credentials["Expiration"] == datetime.fromtimestamp(virtual.now + 900, UTC)
    virtual.now += 899
    assert wire.as_session("sts", credentials).get_caller_identity()
    virtual.now += 1
    code, status, message = refusal(getattr(wire.as_session(service, credentials), operation), **given)
    assert (code, status) == expected
    assert message == "The security token included in the request is expired"


def test_a_session_without_its_token_is_unknown(wire):
    key = assume(wire)["Credentials"]["AccessKeyId"]
    for token in (None, "another"):
        client = wire.client("sts", key, token)
        assert refusal(client.get_caller_identity)[0] == "InvalidClientTokenId"


def test_a_key_of_a_session_that_the_lab_does_not_know_is_nobodys(tmp_path):
    """It came from a lab that has ended; taking it for an administrator's would hide that."""
    (tmp_path / "world.toml").write_text("[applications.a]")
    wire = Wire(VirtualLab(load(tmp_path / "world.toml")))
    assert refusal(wire.client("sts", "ASIAFROMBEFORE", "t").get_caller_identity)[0] == "InvalidClientTokenId"
    assert wire.client("sts", "whatever").get_caller_identity()["Arn"].endswith(":user/lab")


def test_where_no_role_is_named_each_one_may_be_assumed(tmp_path):
    (tmp_path / "world.toml").write_text("[applications.a]")
    wire = Wire(VirtualLab(load(tmp_path / "world.toml")))
    credentials = assume(wire, "lab", f"arn:aws:iam::{THERE}:role/teams/panel")["Credentials"]
    identity = wire.as_session("sts", credentials).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{THERE}:assumed-role/panel/night"
    assert wire.as_session("elbv2", credentials).describe_load_balancers()["LoadBalancers"] == []


def test_an_arn_that_is_no_roles_is_invalid(wire):
    with pytest.raises(ClientError, match="arn:aws:iam::nobody:user is invalid") as refused:
        assume(wire, "AKIAADMIN", "arn:aws:iam::nobody:user", "")
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_a_trust_that_names_the_user_does_not_undo_an_explicit_deny(tmp_path):
    deny = '[{effect = "Deny", actions = ["sts:*"], resources = ["*"]}]'
    (tmp_path / "world.toml").write_text(WORLD.replace("policy = []", f"policy = {deny}"))
    wire = Wire(VirtualLab(load(tmp_path / "world.toml")))
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        assume(wire, "AKIANOBODY", LONG, "")


def test_a_session_may_last_as_long_as_its_role_says(wire):
    assert assume(wire, "AKIAADMIN", LONG, "", DurationSeconds=7200)
    with pytest.raises(ClientError, match="exceeds the MaxSessionDuration set for this role") as refused:
        assume(wire, "AKIAADMIN", LONG, "", DurationSeconds=7201)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_a_chained_session_lasts_an_hour_at_the_most(wire):
    first = wire.as_session("sts", assume(wire)["Credentials"])
    given = {"RoleArn": FURTHER, "RoleSessionName": "deeper"}
    assert first.assume_role(**given, DurationSeconds=3600)
    with pytest.raises(ClientError, match="exceeds the 1 hour session limit for roles assumed by role chaining"):
        first.assume_role(**given, DurationSeconds=3601)


def test_two_sessions_have_two_keys(wire):
    keys = {assume(wire)["Credentials"]["AccessKeyId"] for _ in range(2)}
    assert len(keys) == 2
    assert all(key.startswith("ASIA") and len(key) == 20 for key in keys)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[users.a]\naccess_key_id = 'x'\n[users.b]\naccess_key_id = 'x'",
            "users: an access_key_id may belong to one user alone",
        ),
        ("[users.a]", "users.a.access_key_id: this key is missing"),
        ("[roles.a]", "roles.a.trust: this key is missing"),
        ("[roles.a]\ntrust = []\nmax_session_seconds = 60", "roles.a.max_session_seconds: 60 is not 3600 to 43200"),
        ("unknown_keys = 'maybe'", "unknown_keys: 'maybe' is not allowed; allowed are administrator, refused"),
        (
            "[[roles.a.policy]]\neffect = 'Perhaps'\nactions = []\nresources = []\n[roles.a]\ntrust = []",
            "roles.a.policy[0].effect: 'Perhaps' is not allowed",
        ),
        (
            "[roles.a]\ntrust = []\n[[roles.a.policy]]\nactions = ['UpdateService']\nresources = []",
            "actions: 'UpdateService' is not like ecs:UpdateService",
        ),
        (
            "[roles.a]\ntrust = []\n[[roles.a.policy]]\nactions = []\nresources = []\nconditions = { StringLike = {} }",
            "conditions: 'StringLike' is not allowed; allowed are StringEquals, ArnEquals",
        ),
    ],
)
def test_a_wrong_user_or_role_is_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "world.toml"
    path.write_text(text if "[applications" in text else f"{text}\n[applications.a]")
    with pytest.raises(WorldError) as wrong:
        load(path)
    assert sentence in str(wrong.value)
