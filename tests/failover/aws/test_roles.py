"""The adapter through a role of another account, with no more permissions than it needs, over HTTP.

STS API Reference, ``AssumeRole``; IAM User Guide, "How to use an external ID". The world is `lab/worlds/accounts.toml`.
"""

from dataclasses import fields
from pathlib import Path

import pytest

import lab
from failover import aws
from failover.config import parse
from failover.model import Bounds, Part, Position, SetBounds, SetDesiredCount, SetSplit, Snapshot, Split
from failover.ports import AwsError
from lab.process import start_lab
from tests.failover.aws.conftest import described

pytestmark = pytest.mark.lab

WORLD = Path(lab.__file__).parent / "worlds" / "accounts.toml"
ROLE = "arn:aws:iam::222222222222:role/failover"
NOT_AWS = ("at", "probes")


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    with start_lab(WORLD, tmp_path_factory.mktemp("accounts"), port=0) as running:
        yield running


@pytest.fixture
def connect(accounts, monkeypatch):
    """An adapter for an application of the team's account; `changes` go into its `[application]` table.

    The application's own region is the only one there is.
    """
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", accounts.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIACONTROLLER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")

    def build(slug="shop", **changes):
        access = {"role_arn": ROLE, "external_id": "team-shop"}
        application = parse(described(accounts, slug, application=access | changes), slug)
        return application, aws.connect(application)

    return build


def test_a_role_with_just_what_is_needed_reads_everything(connect):
    _, adapter = connect()
    seen = adapter.observe(tuple(Part))
    readings = {part.name: getattr(seen, part.name).problem for part in fields(Snapshot) if part.name not in NOT_AWS}
    assert set(readings.values()) == {""}, readings
    assert seen.position is Position.LAMBDA


def test_a_role_with_just_what_is_needed_makes_the_three_writes(connect):
    application, adapter = connect()
    route = application.routes[0].arn
    adapter.write(SetBounds(Bounds(0, 5)))
    adapter.write(SetDesiredCount(0))
    adapter.write(SetSplit(route, Split(99, 1), before=Split(1, 0)))
    adapter.write(SetSplit(route, Split(1, 0), before=Split(99, 1)))


def test_another_application_of_the_account_is_out_of_reach(connect):
    application, adapter = connect("billing", alarms=["none"])
    denied = "arn:aws:sts::222222222222:assumed-role/failover/failover-billing is not authorized to perform"
    assert f"{denied}: ecs:DescribeServices" in adapter.observe({Part.SERVICE}).service.problem
    for action in (SetDesiredCount(1), SetSplit(application.routes[0].arn, Split(99, 1), before=Split(1, 0))):
        with pytest.raises(AwsError, match="is not authorized to perform") as refused:
            adapter.write(action)
        assert refused.value.kind == "denied"


@pytest.mark.parametrize("changes", [{"external_id": ""}, {"external_id": "team-other"}, {"role_arn": ROLE + "-2"}])
def test_without_the_right_role_and_external_id_nothing_is_known(connect, changes):
    _, adapter = connect(**changes)
    assert "is not authorized to perform: sts:AssumeRole" in adapter.observe({Part.SERVICE}).service.problem


def test_the_controllers_own_key_sees_nothing_of_the_team(connect):
    _, adapter = connect(role_arn="", external_id="")
    assert "is not authorized to perform: ecs:DescribeServices" in adapter.observe({Part.SERVICE}).service.problem


def test_a_key_that_nobody_has_is_refused(connect, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "lab")
    _, adapter = connect(role_arn="", external_id="")
    assert "security token included in the request is invalid" in adapter.observe({Part.SERVICE}).service.problem
