"""What code the pools have: how it is read, how seldom, and that nothing else waits for it.

Source: Lambda API reference, GetFunction; ECS API reference, DescribeTaskDefinition.
"""

import pytest

from failover.aws.adapter import VERSIONS_SECONDS, Adapter
from failover.aws.fleet.chores import VERSIONS_SECONDS as SWEPT_SECONDS
from failover.decide import needed
from failover.model import Code, Goal, Part, Progress, Request, Versions
from tests.failover.aws.account import NOW, Account, RefusedError
from tests.failover.aws.watch import SWEEP_SECONDS, fleet_of

REPOSITORY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/api"
ONE, OTHER = "sha256:" + "a1" * 32, "sha256:" + "b2" * 32
LOOK = {Part.SERVICE, Part.VERSIONS}
DENIED = (
    "User: arn:aws:sts::111122223333:assumed-role/panel/s is not authorized to perform: lambda:GetFunction "
    "on resource: arn:aws:lambda:eu-west-1:111122223333:function:api-1"
)


@pytest.fixture
def account():
    return Account()


def read(account: Account):
    application = account.applications[0] if account.applications else account.add()
    return Adapter(application, account.clients(), lambda: NOW).observe(LOOK).versions


def containers(*images: str) -> list[dict]:
    return [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]


def test_tags_and_the_size_of_a_fargate_task(account):
    assert read(account).value == Versions(Code(version="1.4.0"), Code(version="1.4.0"), 1024)


def test_the_task_definition_is_the_service_s_own(account):
    asked = []
    account.failing["DescribeTaskDefinition"] = lambda given: asked.append(given["taskDefinition"])
    account.add()
    account.services["apis", "api-1"]["taskDefinition"] = "api-1:7"
    read(account)
    assert asked == ["api-1:7"]


def test_digests_of_images_that_are_named_by_them(account):
    account.function = {"Code": {"ImageUri": f"{REPOSITORY}:1.4", "ResolvedImageUri": f"{REPOSITORY}@{ONE}"}}
    account.definition["taskDefinition"]["containerDefinitions"] = containers(f"{REPOSITORY}:1.4@{OTHER}")
    account.definition["tags"] = []
    assert read(account).value == Versions(Code(ONE), Code(OTHER), 1024)


def test_which_of_several_containers_is_the_api_is_not_guessed(account):
    account.definition["taskDefinition"]["containerDefinitions"] = containers(f"{REPOSITORY}@{ONE}", f"log@{OTHER}")
    assert read(account).value.task == Code(version="1.4.0")


@pytest.mark.parametrize("more", [{"requiresCompatibilities": ["EC2"]}, {"cpu": ""}])
def test_only_what_fargate_counts_is_a_size(account, more):
    account.definition["taskDefinition"] |= more
    assert read(account).value.cpu_units == 0


def test_tags_that_lambda_leaves_out_say_why(account):
    account.function["Tags"] = {}
    account.function["TagsError"] = {"ErrorCode": "AccessDeniedException", "Message": "Not for you."}
    code = read(account).value.function
    assert code == Code(problem="The function's tags can't be read: Not for you. Grant lambda:ListTags on it.")


def test_a_denial_is_unknown_with_what_to_grant_and_keeps_nothing_else_back(account):
    account.failing["GetFunction"] = RefusedError("AccessDeniedException", DENIED)
    seen = Adapter(account.add(), account.clients(), lambda: NOW).observe(tuple(Part))
    assert "lambda:GetFunction on api-1: AccessDeniedException" in seen.versions.problem
    assert "Grant lambda:GetFunction on arn:aws:lambda:eu-west-1:111122223333:function:api-1" in seen.versions.problem
    assert {seen.service.problem, seen.limits.problem, seen.routes.problem} == {""}


def test_a_service_without_a_task_definition_says_so(account):
    account.add()
    account.services["apis", "api-1"].pop("taskDefinition")
    assert "names no task definition" in read(account).problem


def test_whoever_looks_again_and_again_asks_every_ten_minutes(account):
    now = [NOW]
    aws = Adapter(account.add(), account.clients(), lambda: now[0])
    for _ in range(10):
        aws.observe(LOOK)
    assert (account.calls["GetFunction"], account.calls["DescribeTaskDefinition"]) == (1, 1)
    now[0] += VERSIONS_SECONDS + 1
    aws.observe(LOOK)
    assert account.calls["GetFunction"] == 2


@pytest.mark.parametrize("goal", [Goal.FAILOVER, Goal.FAILBACK])
def test_no_operation_reads_it(account, goal):
    aws = Adapter(account.add(), account.clients(), lambda: NOW)
    aws.observe(needed(Request(goal), Progress()))
    aws.observe()
    assert account.calls["DescribeServices"] == 2
    assert account.calls["GetFunction"] == account.calls["DescribeTaskDefinition"] == 0


# ---- many applications ----


def test_a_sweep_reads_it_of_every_application_within_minutes_and_every_ten_minutes(account):
    watch = fleet_of(account, 40, 2)
    watch.sweep(int(300 / SWEEP_SECONDS))
    assert all(each.versions.value is not None for each in watch.known.values())
    account.calls.clear()
    watch.sweep(int(SWEPT_SECONDS / SWEEP_SECONDS))
    assert account.calls["GetFunction"] == account.calls["DescribeTaskDefinition"] == 40


def test_a_denial_in_a_sweep_is_not_asked_again_and_again(account):
    account.failing["GetFunction"] = RefusedError("AccessDeniedException", DENIED)
    watch = fleet_of(account, 3)
    watch.sweep(int(300 / SWEEP_SECONDS))
    assert account.calls["GetFunction"] == 3
    seen = watch.known["api-1"]
    assert "Grant lambda:GetFunction" in seen.versions.problem
    assert (seen.limits.problem, seen.service.problem) == ("", "")


def test_what_was_never_read_keeps_no_search_waiting(account):
    """Forty applications wait for their code: a foreign forwarder is found as soon as ever."""
    watch = fleet_of(account, 40, 2)
    watch.sweep(20)
    for _ in range(40):
        watch.sweep()
        searched = min(each.routes.value.searched_at for each in watch.known.values())
        assert watch.now - searched <= 2 * 60
