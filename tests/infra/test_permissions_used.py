"""A recorded run of the product asks AWS for exactly what failover/permissions.toml lists, and names what is denied.

It runs with nothing but the policies that the table makes: those of connect.yaml, written out of it. Who builds another
part that asks AWS for something adds its recording to `RECORDINGS`, and its rows to the table.
"""

from functools import cache

import pytest

from failover import permissions
from failover.aws import checking, clients, discovery
from failover.aws.adapter import Adapter
from failover.aws.fleet import Fleet, Pace
from failover.aws.lease import TableLease
from failover.model import Bounds, Part, SetBounds, SetDesiredCount, SetSplit, Split
from failover.permissions import Access
from failover.ports import AwsError
from failover.precondition_facts import Result
from lab.iam import RoleTable
from tests.infra.conftest import (
    APPLICATION,
    CONNECTION,
    EXTERNAL_ID,
    KEY,
    configuration,
    empty_account,
    of_application,
)  # fmt: skip
from tests.infra.endpoint import serve
from tests.infra.incident import Incident, play
from tests.infra.replay import replay, statements
from tests.infra.template import ACCOUNT

TABLE = "failover-checkout"
EVERYTHING = frozenset(Part)


class Recorded:
    """An application with a rule and a listener as routes, a scalable target, a lease table and a role."""

    def __init__(self, lab, port):
        self.lab, self.port = lab, port
        made = replay("application.yaml", lab, **APPLICATION, ExternalId=EXTERNAL_ID, LeaseTable=TABLE).stack
        given = of_application(made)
        replay("controller.yaml", lab, **_controller(made, given))
        listener = _second_listener(lab)
        connection = {**given, **CONNECTION, "ListenerArns": listener, "LeaseTable": TABLE}
        replay("connect.yaml", lab, {"webhook-key": KEY}, **connection)
        self.application = configuration(made, {"listener_arn": listener})
        self.listener = listener

    def clock(self):
        return self.lab.now


def _controller(stack, given):
    groups = {"LambdaTargetGroupArn": "LambdaTargetGroupArn", "EcsTargetGroupArn": "EcsTargetGroupArn"}
    outputs = {name: stack.output(output) for name, output in groups.items()}
    return {**given, **outputs, "CodeBucket": "artefacts", "CodeKey": "controller.zip"}


def _second_listener(lab):
    """Its default action forwards to both groups, as the rule does."""
    found = lab.cloud.applications["checkout"]
    actions = found.listener.rules[0].actions
    made = lab.call(
        "elbv2",
        "CreateListener",
        LoadBalancerArn=found.load_balancer.arn,
        Port=8080,
        Protocol="HTTP",
        DefaultActions=actions,
    )
    return made["Listeners"][0]["ListenerArn"]


@pytest.fixture(scope="module")
def recorded():
    lab = empty_account()
    with serve(lab) as port, pytest.MonkeyPatch.context() as patch:
        for name, value in {"ENDPOINT_URL": port.url, "ACCESS_KEY_ID": "lab", "SECRET_ACCESS_KEY": "lab"}.items():
            patch.setenv(f"AWS_{name}", value)
        patch.delenv("AWS_PROFILE", raising=False)
        patch.setattr(clients, "once", cache(clients.once))  # building clients is what takes time
        yield Recorded(lab, port)


# ---- what is asked for ----


def a_controller_moves_traffic_and_back(recorded):
    incident = Incident(recorded.lab, recorded.application)
    incident.adapter.observe(EVERYTHING)
    play(incident)
    return {*permissions.needed(recorded.application), *_assumes()}


def the_panel_observes_its_fleet(recorded):
    """Two sweeps: the second has what waits until a service is known."""
    fleet = Fleet(clients.readers(recorded.application), Pace(clock=recorded.clock), recorded.clock)
    known = fleet.observe([recorded.application])
    recorded.lab.run(601)
    fleet.observe([recorded.application], known, busy=[recorded.application.slug])
    return {*permissions.needed(recorded.application, Access.OBSERVE), *_assumes()}


def somebody_checks_it(recorded):
    checking.checked(recorded.application)
    return {*permissions.needed(recorded.application, Access.CHECK), "dynamodb:GetItem", *_assumes()}


def somebody_chooses_what_there_is(recorded):
    """With a role that may list and nothing else."""
    role = RoleTable(trust=(ACCOUNT,), policy=statements(permissions.listing_policy()))
    recorded.lab.cloud.access.add_role("lists", role)
    found = discovery.discover(recorded.application.region, f"arn:aws:iam::{ACCOUNT}:role/lists")
    read = [getattr(found, name) for name in ("caller", "places", "functions", "services", "alarms")]
    assert [each.problem for each in read] == [""] * len(read)
    assert [each.name for each in found.services.value] == ["checkout"]
    return {action for each in permissions.listing_policy()["Statement"] for action in each["Action"]} | _assumes()


def _assumes():
    return {each.action for each in permissions.of(Access.ASSUME)}


# What plays it, and so asks for the actions that it answers with.
RECORDINGS = (
    a_controller_moves_traffic_and_back,
    the_panel_observes_its_fleet,
    somebody_checks_it,
    somebody_chooses_what_there_is,
)
FREE = {"sts:GetCallerIdentity"}  # AWS lets everybody ask who they are


@pytest.fixture(scope="module")
def asked(recorded):
    """Actions that were asked for, and those that were to be, by recording."""
    found = {}
    for play_it in RECORDINGS:
        recorded.port.forget()
        wanted = play_it(recorded)
        found[play_it.__name__] = recorded.port.asked - FREE, wanted
    return found


@pytest.mark.parametrize("recording", [each.__name__ for each in RECORDINGS])
def test_no_action_is_missing_in_the_table_and_none_is_unused(asked, recording):
    found, wanted = asked[recording]
    assert found - wanted == set()
    if recording == somebody_chooses_what_there_is.__name__:
        assert found == wanted


def test_every_row_of_the_table_is_used(asked):
    played = set().union(*(found for found, _ in asked.values()))
    assert {each.action for each in permissions.permissions()} - played == set()


def test_moving_traffic_uses_all_that_it_is_granted(asked):
    """But for what check alone asks for."""
    found, wanted = asked[a_controller_moves_traffic_and_back.__name__]
    assert wanted - found == {each.action for each in permissions.of(Access.CHECK)}


# ---- what is denied ----

OBSERVED = sorted({each.action for each in permissions.of(Access.OBSERVE)})


@pytest.fixture
def denied(recorded):
    def deny(action):
        recorded.lab.faults.set("api_denied", [action])

    yield deny
    recorded.lab.faults.clear()


@pytest.mark.parametrize("action", OBSERVED)
def test_a_denied_read_is_named_with_what_would_help(recorded, with_tasks, denied, action):
    denied(action)
    snapshot = Adapter(recorded.application, with_tasks, recorded.clock).observe(EVERYTHING)
    assert f"Grant {action} on" in " ".join(_said(snapshot))


def _said(snapshot):
    parts = (getattr(snapshot, name) for name in snapshot.__dataclass_fields__ if name != "at")
    yield from (part.problem for part in parts)
    if snapshot.versions.value:
        yield snapshot.versions.value.function.problem


@pytest.fixture(scope="module")
def with_tasks(recorded, asked):
    """The role's clients, while there are tasks to read."""
    recorded.lab.call("ecs", "UpdateService", cluster="checkout", service="checkout", desiredCount=1)
    recorded.lab.run(30)
    return clients.build(recorded.application)


WRITES = {
    "ecs:UpdateService": lambda _: SetDesiredCount(2),
    "application-autoscaling:RegisterScalableTarget": lambda _: SetBounds(Bounds(1, 5)),
    "elasticloadbalancing:ModifyRule": lambda it: SetSplit(it.application.routes[0].arn, Split(99, 1), Split(1, 0)),
    "elasticloadbalancing:ModifyListener": lambda it: SetSplit(it.listener, Split(99, 1), Split(1, 0)),
}


@pytest.mark.parametrize("action", WRITES)
def test_a_denied_write_is_named_and_nothing_is_changed(recorded, with_tasks, denied, action):
    found = recorded.lab.cloud.applications["checkout"]
    before = found.service.desired, [rule.actions for rule in found.load_balancer.rules()]
    denied(action)
    with pytest.raises(AwsError) as error:
        Adapter(recorded.application, with_tasks, recorded.clock).write(WRITES[action](recorded))
    assert error.value.kind == "denied"
    assert f"Grant {action} on" in error.value.remedy
    assert (found.service.desired, [rule.actions for rule in found.load_balancer.rules()]) == before


@pytest.mark.parametrize("action", ["dynamodb:GetItem", "dynamodb:PutItem"])
def test_a_denied_lease_is_named(recorded, denied, action):
    denied(action)
    lease = TableLease(clients.lease_client(recorded.application), TABLE, "checkout", recorded.clock)
    with pytest.raises(AwsError) as error:
        lease.claim()
    assert f"Grant {action} on" in error.value.remedy


def test_a_role_that_may_not_be_assumed_is_named(recorded, denied):
    denied("sts:AssumeRole")
    snapshot = Adapter(recorded.application, clients.build(recorded.application), recorded.clock).observe()
    assert "Grant sts:AssumeRole on" in snapshot.alarms.problem
    assert EXTERNAL_ID in snapshot.alarms.problem


CHECKED = sorted({each.action for each in permissions.of(Access.OBSERVE, Access.CHECK)} | {"dynamodb:GetItem"})


@pytest.mark.parametrize("action", CHECKED)
def test_check_application_names_what_is_denied(recorded, with_tasks, denied, action):
    denied(action)
    failed = [each for each in checking.checked(recorded.application) if each.result is not Result.PASS]
    assert f"Grant {action} on" in " ".join(f"{each.says} {each.remedy}" for each in failed)


LISTED = sorted({action for each in permissions.listing_policy()["Statement"] for action in each["Action"]})


@pytest.mark.parametrize("action", LISTED)
def test_choosing_names_what_is_denied(recorded, asked, denied, action):
    denied(action)
    found = discovery.discover(recorded.application.region, f"arn:aws:iam::{ACCOUNT}:role/lists")
    problems = [getattr(found, name).problem for name in ("places", "functions", "services", "alarms")]
    assert f"Grant {action} on" in " ".join(problems)


def test_every_action_has_a_test_in_which_it_is_denied():
    tried = {*OBSERVED, *WRITES, *CHECKED, *LISTED, "dynamodb:PutItem", "sts:AssumeRole"}
    assert {each.action for each in permissions.permissions()} == tried


# ---- what is out of reach ----


def test_the_role_reaches_nobody_elses_service_rule_or_lease(recorded, with_tasks):
    """The policy binds every write to this application: another one's is denied though the action is granted."""
    others = with_tasks
    with pytest.raises(others.ecs_write.exceptions.ClientError, match="not authorized"):
        others.ecs_write.update_service(cluster="checkout", service="other", desiredCount=9)
    with pytest.raises(others.elbv2_write.exceptions.ClientError, match="not authorized"):
        others.elbv2_write.modify_rule(RuleArn=f"{recorded.application.routes[0].arn}0", Actions=[])
    with pytest.raises(AwsError, match="not authorized"):
        TableLease(clients.lease_client(recorded.application), TABLE, "other", recorded.clock).claim()
