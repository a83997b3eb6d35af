"""The checker catches what it is there for: for each rule a deliberate violation, and beside it what is allowed.

Writes are what a bad controller would send; nothing of the real one runs here.
"""

from dataclasses import replace

import pytest

from bench.simulate.checker import Checker, Limits, Operation, Writer
from bench.simulate.truth import Truth
from lab.virtual import VirtualLab
from lab.worldfile import load

WORLD = """
[applications.checkout.function]
reserved_concurrency = 14
[applications.checkout.task]
desired_count = 2
provisioning_seconds = 0
pending_seconds = 0
[applications.checkout.weights]
lambda = 100
ecs = 0
[applications.checkout.third_group]
weight = 25
[[applications.checkout.rules]]
priority = 10
path = "/api/*"
weights = { lambda = 100, ecs = 0 }
[[applications.checkout.alarms]]
name = "checkout-throttles"
metric = "Throttles"
statistic = "Sum"
threshold = 1
missing_data = "notBreaching"
"""
LIMITS = Limits(min_healthy=2, settle=5, bake=15, dwell=15, period=5, longest_operation=600)
LONG = 1000.0


class Scene:
    """A world, a checker, and a controller that holds the lease and has just read everything, unless told otherwise."""

    def __init__(self, file):
        self.lab = VirtualLab(load(file))
        self.lab.run(10)
        self.truth = Truth(self.lab, "checkout")
        self.checker = Checker(self.truth, LIMITS)
        self.writer = Writer("me", health_at=self.lab.now, healthy=2, routes_at=self.lab.now)
        self.lease = ("me", self.lab.now + LONG)
        self.application = self.truth.application
        self.truth.look()

    @property
    def rule(self):
        return self.application.listener.rules[0]

    def pursuing(self, goal="failover", *, automatic=True, ago=5.0):
        return Operation(goal, automatic, self.lab.now - ago, knows=self.lab.now - ago)

    def actions(self, on_lambda, on_ecs):
        config = self.rule.actions[0]["ForwardConfig"]
        weights = dict(
            zip([self.application.lambda_group.arn, self.application.ecs_group.arn], (on_lambda, on_ecs), strict=True)
        )
        groups = [
            {**group, "Weight": weights.get(group["TargetGroupArn"], group["Weight"])}
            for group in config["TargetGroups"]
        ]
        return [{"Type": "forward", "Order": 1, "ForwardConfig": {**config, "TargetGroups": groups}}]

    def shift(self, on_lambda, on_ecs, pursuing=None, actions=None):
        given = {"RuleArn": self.rule.arn, "Actions": actions or self.actions(on_lambda, on_ecs)}
        self.checker.write(self.writer, pursuing or self.pursuing(), "ModifyRule", given, self.lease)
        return self.broken

    def scale(self, count, pursuing=None):
        given = {"cluster": "apis", "service": "checkout", "desiredCount": count}
        self.checker.write(self.writer, pursuing or self.pursuing(), "UpdateService", given, self.lease)
        return self.broken

    def apply(self, on_lambda, on_ecs):
        """Writes it for real, on every rule, and waits until both nodes know."""
        for rule in self.application.listener.rules:
            self.application.load_balancer.write(rule, self.actions(on_lambda, on_ecs), self.lab.now)
        self.pass_time(4)

    def pass_time(self, seconds):
        for _ in range(round(seconds)):
            self.lab.run(1)
            self.truth.look()

    @property
    def broken(self):
        return [breach.rule for breach in self.checker.breaches]


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "world.toml"
    path.write_text(WORLD, encoding="utf-8")
    return Scene(path)


def test_a_good_failover_breaks_nothing(scene):
    assert scene.scale(3) == []
    assert scene.shift(0, 100) == []


def test_never_zero(scene):
    assert "never_zero" in scene.shift(0, 0)


def test_never_zero_beside_a_third_group_our_two_keep_their_sum(scene):
    assert scene.shift(0, 50) == ["never_zero"]


@pytest.mark.parametrize(("healthy", "ago"), [(1, 0), (2, 6)])
def test_ecs_ready_needs_enough_targets_freshly_observed(scene, healthy, ago):
    scene.writer.healthy, scene.writer.health_at = healthy, scene.lab.now - ago
    assert "ecs_ready" in scene.shift(0, 100)


def test_towards_health_needs_one_target_that_is_known_to_be_healthy(scene):
    scene.writer.healthy = 0
    assert "towards_health" in scene.shift(0, 100)


def test_towards_health_keeps_traffic_from_a_function_whose_checks_fail(scene):
    scene.apply(0, 100)
    [function] = scene.application.lambda_group.targets.values()
    function.enter("unhealthy", scene.lab.now - 11)
    assert scene.shift(10, 90, scene.pursuing("failback")) == ["towards_health"]


def test_lambda_ready_needs_room_for_the_demand(scene):
    scene.apply(0, 100)
    scene.lab.flow("checkout", 200, (("/bang", 0.9), ("/sleep", 0.1)))
    scene.pass_time(40)
    scene.writer.health_at = scene.lab.now
    assert scene.shift(50, 50, scene.pursuing("failback")) == ["lambda_ready"]


def test_no_early_scale_in_while_a_rule_gives_ecs_weight(scene):
    scene.apply(50, 50)
    assert scene.scale(0, scene.pursuing("failback")) == ["no_early_scale_in"]


def test_no_early_scale_in_before_settle_and_bake_have_passed(scene):
    scene.apply(50, 50)
    scene.apply(100, 0)
    assert scene.scale(0, scene.pursuing("failback")) == ["no_early_scale_in"]
    scene.checker.breaches.clear()
    scene.pass_time(15)
    assert scene.scale(0, scene.pursuing("failback")) == []


@pytest.mark.parametrize("goal", ["failover", "set_weights"])
def test_never_shrink(scene, goal):
    scene.pass_time(20)
    assert "never_shrink" in scene.scale(1, scene.pursuing(goal))


def test_never_shrink_by_a_maximum_that_autoscaling_would_clamp_to(scene):
    scene.pass_time(20)
    given = {"MinCapacity": 0, "MaxCapacity": 1}
    scene.checker.write(scene.writer, scene.pursuing(), "RegisterScalableTarget", given, scene.lease)
    assert "never_shrink" in scene.broken


def test_only_weights_stickiness_may_not_change(scene):
    actions = scene.actions(0, 100)
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 60}
    assert scene.shift(0, 100, actions=actions) == ["only_weights"]


def test_only_weights_the_third_groups_weight_may_not_change(scene):
    actions = scene.actions(0, 100)
    actions[0]["ForwardConfig"]["TargetGroups"][2]["Weight"] = 0
    assert "only_weights" in scene.shift(0, 100, actions=actions)


def test_only_weights_an_action_may_not_go(scene):
    actions = scene.actions(0, 100)
    scene.rule.actions = [{"Type": "authenticate-oidc", "Order": 1}, {**scene.rule.actions[0], "Order": 2}]
    assert scene.shift(0, 100, actions=actions) == ["only_weights"]


@pytest.mark.parametrize("lease", [None, ("other", 1e12), ("me", None)])
def test_single_writer(scene, lease):
    scene.lease = ("me", scene.lab.now + 5) if lease == ("me", None) else lease
    assert scene.shift(0, 100) == ["single_writer"]


def test_foreign_change_may_not_be_overwritten_once_it_was_read(scene):
    operation = scene.pursuing(ago=20)
    scene.checker.foreign(scene.rule.arn)
    scene.pass_time(2)
    scene.writer.routes_at = scene.writer.health_at = scene.lab.now
    assert scene.shift(0, 100, operation) == ["foreign_change"]


def test_foreign_change_that_could_not_be_seen_yet_is_no_breach(scene):
    operation = scene.pursuing(ago=20)
    scene.pass_time(2)
    scene.checker.foreign(scene.rule.arn)
    scene.writer.health_at = scene.lab.now
    assert scene.shift(0, 100, operation) == []


def test_a_foreign_change_back_to_what_was_just_replaced_looks_like_a_write_that_was_not_sent(scene):
    operation = scene.pursuing(ago=20)
    assert scene.shift(0, 100, operation) == []
    scene.checker.foreign(scene.rule.arn)  # 100/0 again, as before the write
    scene.writer.routes_at = scene.writer.health_at = scene.lab.now
    assert scene.shift(0, 100, operation) == []


def test_foreign_change_before_the_operation_had_read_anything_is_where_it_starts_from(scene):
    operation = Operation("failover", automatic=True, began=scene.lab.now - 20, knows=scene.lab.now)
    scene.checker.foreign_at = scene.lab.now - 5
    assert scene.shift(0, 100, operation) == []


def test_fail_closed(scene):
    scene.checker.lease_down_since = scene.lab.now - 10
    assert scene.shift(0, 100) == ["fail_closed"]
    scene.checker.breaches.clear()
    assert scene.shift(0, 100, scene.pursuing(automatic=False)) == [], "people still may"


def test_fresh(scene):
    scene.checker.started(scene.pursuing())
    assert scene.broken == ["fresh"]


def test_fresh_with_an_alarm_that_fires_is_no_breach(scene):
    scene.lab.world.set_alarm_state("checkout-throttles", "ALARM", "drill", None, scene.lab.now)
    scene.checker.started(scene.pursuing())
    assert scene.broken == []


@pytest.mark.parametrize("by", ["manual", "foreign"])
def test_people_first(scene, by):
    scene.apply(0, 100)
    scene.checker.moved_by = by
    scene.checker.started(scene.pursuing("failback"))
    assert scene.broken == ["people_first"]


def test_deadlines(scene):
    scene.checker.ended(scene.pursuing(ago=601), held=False)
    assert scene.broken == ["deadlines"]


def test_crash_safe(scene):
    scene.rule.actions = scene.actions(50, 50)
    scene.checker.ended(None, held=True)
    assert scene.broken == []
    scene.checker.ended(None, held=False)
    assert scene.broken == ["crash_safe"]


def test_routes_that_differ_are_left_to_people_while_an_alarm_has_no_data(scene):
    scene.rule.actions = scene.actions(50, 50)
    alarm = scene.application.alarms[0]
    alarm.state = replace(alarm.state, value="INSUFFICIENT_DATA")
    scene.checker.ended(None, held=False)
    assert scene.broken == []


@pytest.mark.parametrize(("refused", "broken"), [(True, []), (False, ["crash_safe"])])
def test_routes_that_somebody_else_left_apart_are_ours_once_aws_took_our_write(scene, refused, broken):
    scene.rule.actions = scene.actions(50, 50)
    scene.checker.foreign(scene.rule.arn)
    scene.shift(40, 60, scene.pursuing("set_weights", automatic=False))
    if refused:
        scene.checker.refused()
    scene.checker.ended(None, held=False)
    assert scene.broken == broken


@pytest.mark.parametrize(("outcome", "reason"), [("refused", ""), ("refused", "  "), ("vanished", "why")])
def test_explained(scene, outcome, reason):
    scene.checker.answered("refused", "mode: the mode is observe. Set the mode to auto.")
    assert scene.broken == []
    scene.checker.answered(outcome, reason)
    assert scene.broken == ["explained"]
