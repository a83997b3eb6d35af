"""A scenario played in virtual time: steps wait, act, and are kept; the end is judged."""

import pytest

from lab.accidents import ACCIDENTS
from lab.conditions import CONDITIONS, Condition
from lab.director import Director
from lab.ending import arrivals, judge_losses, judge_world
from lab.scenario import LoadTable, parse

HEAD = 'title = "A title"\nstory = "A story."\n'


def play(virtual, text, seconds, *, meanwhile=None):
    """Moves the lab for so many seconds under a director; answers with it and the loads that it asked for."""
    loads = []
    scenario = parse(HEAD + text, "the test's scenario")
    director = Director(scenario, virtual.cloud, lambda slug, load: loads.append((slug, load)), virtual.now)
    for second in range(seconds):
        if meanwhile:
            meanwhile(second)
        director.advance(virtual.now)
        virtual.run(1)
    return director, loads


def told(director):
    return [(round(moment.at - director.started), moment.what, moment.detail) for moment in director.told]


def shift(virtual, lambda_weight, ecs_weight):
    """All rules of the application, as a controller would."""
    application = virtual.world.applications["checkout"]
    groups = [
        {"TargetGroupArn": application.lambda_group.arn, "Weight": lambda_weight},
        {"TargetGroupArn": application.ecs_group.arn, "Weight": ecs_weight},
    ]
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    for rule in application.listener.rules:
        application.load_balancer.write(rule, actions, virtual.now)


def test_steps_come_one_after_the_other(virtual):
    shift(virtual, 1, 0)
    director, loads = play(
        virtual,
        """
        [[steps]]
        say = "Calm"
        load = { rate = 52 }
        [[steps]]
        after_seconds = 5
        switch = "fargate_capacity"
        value = 0
        [[steps]]
        after_seconds = 2
        switch = "fargate_capacity"
        value = false
        [end]
        """,
        10,
    )
    assert loads == [("checkout", LoadTable(52.0, 1.0))]
    assert told(director) == [
        (0, "weights", "lambda"),
        (0, "story", "Calm"),
        (0, "load", "52 requests a second, 1 % of them slow"),
        (5, "switch", "Fargate without capacity: 0"),
        (7, "switch", "Fargate without capacity: off"),
    ]
    assert director.ended
    assert not director.missed


def test_a_switch_of_one_application_breaks_that_one_alone(virtual):
    play(virtual, '[[steps]]\nswitch = "fargate_capacity"\nvalue = 1\n[end]\nafter_seconds = 99', 2)
    assert virtual.world.faults.number("fargate_capacity", "checkout") == 1
    assert virtual.world.faults.number("fargate_capacity", "narrow") is None


def test_a_step_waits_until_its_condition_holds(virtual):
    director, _ = play(
        virtual,
        '[[steps]]\nwhen = "on_ecs"\nafter_seconds = 2\nsay = "there"\n[end]\n',
        12,
        meanwhile=lambda second: shift(virtual, 0, 1) if second == 4 else None,
    )
    assert (7, "story", "there") in told(director), "both nodes knew at 5, and 2 seconds passed"


def test_what_does_not_come_before_the_deadline_is_named(virtual):
    director, _ = play(virtual, 'deadline_seconds = 5\n[[steps]]\nwhen = "on_ecs"\n[end]\n', 8)
    assert director.missed == "all traffic to be on ECS"
    assert not judge_world(director.scenario.end, director.application, director.positions, missed=director.missed)[
        0
    ].holds


def test_a_step_that_fails_ends_the_scenario_with_the_problem_and_not_whoever_plays_it(virtual, monkeypatch):
    def fail(*_arguments, **_values):
        raise KeyError("nobody")

    monkeypatch.setitem(ACCIDENTS, "deploy", fail)
    director, _ = play(virtual, '[[steps]]\ndo = "deploy"\n[[steps]]\nsay = "never"\n[end]\n', 3)
    assert director.ended
    assert told(director)[-1] == (0, "problem", "KeyError: 'nobody'")
    assert director.missed == "the scenario to go on (KeyError: 'nobody')"


def test_a_condition_that_fails_ends_the_scenario_once(virtual, monkeypatch):
    monkeypatch.setitem(CONDITIONS, "on_ecs", Condition("it", lambda _application: 1 / 0))
    director, _ = play(virtual, '[[steps]]\nwhen = "on_ecs"\n[end]\n', 3)
    problems = [detail for _, what, detail in told(director) if what == "problem"]
    assert problems == ["ZeroDivisionError: division by zero"]


def test_a_condition_may_be_given_up(virtual):
    director, _ = play(virtual, '[[steps]]\nwhen = "on_ecs"\nwithin_seconds = 3\nsay = "on we go"\n[end]\n', 6)
    assert (3, "story", "on we go") in told(director)


def test_the_end_must_go_on_holding(virtual):
    weights = {0: (1, 0), 5: (0, 1), 8: (1, 0)}

    def flap(second):
        if second in weights:
            shift(virtual, *weights[second])

    director, _ = play(virtual, '[[steps]]\n[end]\nwhen = "on_lambda"\nafter_seconds = 6\n', 14, meanwhile=flap)
    assert not director.ended, "it held for 5 seconds, and again for 5"
    assert director.positions == ["lambda", "ecs", "lambda"]


@pytest.mark.parametrize(
    ("positions", "failovers", "failbacks"),
    [
        (["lambda"], 0, 0),
        (["lambda", "split", "ecs"], 1, 0),
        (["lambda", "split", "lambda"], 0, 0),
        (["lambda", "ecs", "split", "ecs", "split", "lambda"], 1, 1),
        (["lambda", "ecs", "lambda", "ecs", "lambda"], 2, 2),
    ],
)
def test_a_shift_that_went_back_is_neither_failover_nor_failback(positions, failovers, failbacks):
    assert (arrivals(positions, "ecs"), arrivals(positions, "lambda")) == (failovers, failbacks)


def test_every_part_of_the_end_is_judged(virtual):
    shift(virtual, 1, 0)
    end = parse(
        HEAD
        + '[[steps]]\n[end]\nposition = "ecs"\ntasks = "some"\nalarm = "ALARM"\nfailovers = 1\nmost_failovers = 0\n',
        "it",
    ).end
    virtual.run(10)
    found = judge_world(end, virtual.world.applications["checkout"], ["lambda", "ecs", "lambda"], missed="")
    assert {each.name: (each.holds, each.seen) for each in found} == {
        "everything came in time": (True, "yes"),
        "the weights are at ecs": (False, "lambda"),
        "ECS has tasks": (False, "desired 0"),
        "the alarms are ALARM": (False, "none in ALARM"),
        "failovers: 1": (True, "1: lambda → ecs → lambda"),
        "failovers: 0 at the most": (False, "1"),
    }


def test_losses_are_judged_by_pool():
    found = judge_losses(("lambda",), {"lambda": 50, "ecs": 1})
    assert [(each.name, each.holds) for each in found] == [
        ("no request failed on ECS", False),
        ("no request failed at the load balancer", True),
    ]
