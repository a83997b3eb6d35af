"""What an operation's observations cost: nothing is asked again that can't have changed.

Over HTTP, with whole failovers, `python -m bench controller` measures the same.
"""

from dataclasses import dataclass

import pytest

from failover.aws import adapter
from failover.aws.adapter import Adapter
from failover.evidence import FRESH_SECONDS
from failover.model import Part, Split
from tests.failover.aws.account import NOW, Account, RefusedError

HEALTHY = {Part.ROUTES, Part.SERVICE, Part.TARGETS}
LOOK_SECONDS = 2.0


@dataclass
class Looking:
    account: Account
    aws: Adapter
    now: float = NOW

    def look(self, parts=frozenset(HEALTHY), after=LOOK_SECONDS):
        self.now += after
        self.account.calls.clear()
        return self.aws.observe(parts)

    @property
    def cost(self) -> int:
        return sum(self.account.calls.values())


@pytest.fixture
def account():
    return Account()


@pytest.fixture
def looking(account):
    found = Looking(account, Adapter(account.add(), account.clients()))
    found.aws.clock = lambda: found.now
    found.aws.observe()
    return found


def test_a_look_while_tasks_start_costs_two_calls_a_second_at_most(looking, account):
    application = account.applications[0]
    account.health[application.lambda_target_group_arn] = [("function", "unavailable")]
    looking.look()
    costs = []
    for _ in range(20):
        looking.look()
        costs.append(looking.cost)
    account.run(application, 2, "initial")
    for _ in range(20):
        looking.look()
        costs.append(looking.cost)
    assert sum(costs) <= 2 * LOOK_SECONDS * len(costs), costs


def test_new_tasks_count_in_the_first_look_that_shows_them(looking, account):
    application = account.applications[0]
    account.run(application, 1)
    assert looking.look(after=0.1).targets.value.ecs_healthy == 1
    account.tasks.clear()
    account.run(application, 2)
    assert looking.look(after=0.1).targets.value.ecs_healthy == 2


def test_whose_targets_are_healthy_is_never_judged_by_an_old_list(looking, account):
    """A task is replaced while the counts stay as they are."""
    application = account.applications[0]
    account.run(application, 1)
    looking.look()
    account.tasks.clear()
    assert looking.look(after=FRESH_SECONDS + 0.1).targets.value.ecs_healthy == 0


def test_weights_are_read_anew_in_every_look(looking, account):
    account.weights(account.applications[0], 40, 60)
    seen = looking.look()
    assert (seen.split, looking.cost) == (Split(40, 60), 4)
    assert seen.routes.value.ecs_forwarders == (seen.routes.value.managed[0].label,)


def test_another_rule_that_forwards_is_found_when_asked_for_and_within_a_minute(looking, account):
    application = account.applications[0]
    account.rule(1, "admin", [{"Type": "forward", "TargetGroupArn": application.ecs_target_group_arn}])
    assert looking.look().routes.value.ecs_forwarders == ()
    assert looking.look({*HEALTHY, Part.FORWARDERS}).routes.value.ecs_forwarders == ("HTTP :443, /admin",)
    account.rules.popitem()
    assert looking.look().routes.value.ecs_forwarders == ("HTTP :443, /admin",)
    assert looking.look(after=adapter.SEARCH_SECONDS).routes.value.ecs_forwarders == ()


def test_a_route_that_went_is_named_and_a_denial_is_no_reason_to_search(looking, account):
    application = account.applications[0]
    rule = account.rules.pop(application.routes[0].arn)
    [gone] = looking.look().routes.value.managed
    assert "does not exist" in gone.problem
    account.rules[application.routes[0].arn] = rule
    account.failing["DescribeRules"] = RefusedError("AccessDenied", "not authorized")
    assert "Grant" in looking.look().routes.problem
    assert account.calls["DescribeTargetGroups"] == 0


def test_metrics_are_read_a_few_times_a_period_and_say_how_old_they_are(looking, account):
    period = account.applications[0].policy.metric_period_seconds
    readings = [looking.look({Part.METRICS}, after=period / 30).metrics for _ in range(30)]
    assert 4 <= len({reading.at for reading in readings}) <= 7
    assert readings[-1].age(looking.now) <= period / 6 + 0.001


def test_lambda_health_checks_that_were_added_are_seen_within_a_minute(looking, account):
    group = account.applications[0].lambda_target_group_arn
    account.health[group] = [("function", "unavailable")]
    assert looking.look().targets.value.lambda_states == (("unavailable", 1),)
    account.health[group] = [("function", "unhealthy")]
    assert looking.look().targets.value.lambda_states == (("unavailable", 1),)
    assert looking.look(after=adapter.HEALTH_CHECKS_SECONDS).targets.value.lambda_states == (("unhealthy", 1),)
    account.health[group] = [("function", "healthy")]
    assert looking.look().targets.value.lambda_states == (("healthy", 1),)
