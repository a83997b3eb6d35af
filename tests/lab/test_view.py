"""The lab's page: what it is told is the truth of the world, also what nobody can read from AWS. In virtual time.

AWS shows the weights as written (Elastic Load Balancing API Reference, DescribeRules) and an alarm's last evaluation
(CloudWatch API Reference, MetricAlarm); what the view adds is the lab's own and no behaviour of AWS's.
"""

import json

import pytest

from lab import accidents
from lab.ports import Answer
from lab.stage import Stage
from lab.view import Seen, view
from lab.wire.dispatch import Asked, CallLog
from tests.lab.conftest import WORLD

QUICK = [("/bang", 1)]
SLOW = [("/sleep", 1)]


class Eye:
    """Looks at a lab in virtual time as the page does."""

    def __init__(self, lab):
        self.lab = lab
        self.stage = Stage(lab.cloud)
        self.log = CallLog()

    def __call__(self, slug="checkout", since=0.0):
        return view(Seen(self.lab.cloud, self.stage.shown(), self.log), slug, self.lab.now, since)


@pytest.fixture
def look(virtual):
    virtual.run(1)
    return Eye(virtual)


def failures(shown):
    return {(status, cause) for _, _, _, status, cause, _ in shown["answers"] if status >= 400}


def shift(lab, lambda_, ecs):
    accidents.set_weights(lab.world, "checkout", lab.now, lambda_=lambda_, ecs=ecs)


def start_tasks(lab, count):
    accidents.set_desired_count(lab.world, "checkout", lab.now, count=count)
    lab.run(4)


def test_everything_is_json_and_small(virtual, look):
    virtual.run(30, "checkout", 50)
    assert len(json.dumps(look(since=virtual.now - 2))) < 12_000


def test_a_node_is_shown_with_what_it_knows_and_when_the_news_comes(virtual, look):
    shift(virtual, 0, 1)
    virtual.run(0.5)
    shown = look()["way"]
    default = shown["routes"][0]
    a, b = (node["routes"][0] for node in shown["nodes"])
    assert default["written"] == {"lambda": 0, "ecs": 1}
    assert (a["knows"], "news_in" in a) == ({"lambda": 0, "ecs": 1}, False)
    assert (b["knows"], b["news"]) == ({"lambda": 1, "ecs": 0}, {"lambda": 0, "ecs": 1})
    assert b["news_in"] == pytest.approx(0.5)
    assert any("Node b still sends by the old weights, for 0.5 s more." in each["text"] for each in look()["truths"])


def test_every_route_is_shown_the_default_first(look):
    routes = look()["way"]["routes"]
    assert [each["path"] for each in routes] == ["", "/pong"]
    assert routes[1]["written"] == {"lambda": 9, "ecs": 1}


def test_answers_are_counted_by_second_node_and_pool_and_asked_for_once(virtual, look):
    virtual.run(4, "checkout", 50, mix=QUICK)
    virtual.run(1)
    shown = look()
    assert sum(row[5] for row in shown["answers"]) == 200
    assert {(row[1], row[2], row[3]) for row in shown["answers"]} == {("a", "lambda", 200), ("b", "lambda", 200)}
    assert look(since=int(virtual.now))["answers"] == []
    late = look(since=virtual.now - 3)["answers"]
    assert {row[0] for row in late} < {row[0] for row in shown["answers"]}


def test_answers_are_kept_for_two_minutes(virtual, look):
    virtual.run(2, "checkout", 10, mix=QUICK)
    virtual.run(115)
    assert look()["answers"]
    virtual.run(10)
    assert look()["answers"] == []


def test_a_failure_is_shown_with_its_cause_which_its_status_does_not_tell(virtual, look):
    virtual.run(3, "checkout", 50, mix=SLOW)
    virtual.run(6)
    assert (502, "Lambda throttled") in failures(look())
    assert look()["way"]["function"]["in_flight"] == 0
    virtual.faults.set("function_errors", 100)
    virtual.run(2, "checkout", 20, mix=QUICK)
    virtual.run(1)
    assert (502, "Lambda failed") in failures(look())
    shift(virtual, 0, 1)
    virtual.run(2)
    virtual.run(2, "checkout", 20, mix=QUICK)
    virtual.run(1)
    assert (503, "no target in the ECS group") in failures(look())
    shift(virtual, 0, 0)
    virtual.run(2)
    virtual.run(2, "checkout", 20, mix=QUICK)
    virtual.run(1)
    assert (503, "no target group has weight") in failures(look())


def test_the_function_is_shown_against_its_limit_and_with_what_it_can_carry(virtual, look):
    virtual.run(4, "checkout", 2, mix=SLOW)
    function = look()["way"]["function"]
    assert (function["in_flight"], function["limit"], function["reserved"]) == (8, 14, 14)
    assert function["environments"] >= 8
    virtual.run(10)
    carries = look()["way"]["function"]["carries"]
    assert carries == pytest.approx(14 / 5, rel=0.01), "each request takes 5 s"


def test_throttling_is_the_first_truth(virtual, look):
    virtual.run(6, "checkout", 50, mix=SLOW)
    truth = look()["truths"][0]
    assert truth["kind"] == "alarm"
    assert "Lambda is at its limit of 14. Throttled, which clients see as 502: " in truth["text"]


def test_a_task_is_shown_on_its_way(virtual, look):
    accidents.set_desired_count(virtual.world, "checkout", virtual.now, count=1)
    virtual.run(0.1)
    (task,) = look()["way"]["tasks"]["tasks"]
    assert (task["status"], task["target"]) == ("PROVISIONING", None)
    assert 0 < task["next_in"] <= 0.2
    virtual.run(0.6)
    (task,) = look()["way"]["tasks"]["tasks"]
    assert (task["status"], task["target"]["state"]) == ("RUNNING", "initial")
    virtual.run(4)
    (task,) = look()["way"]["tasks"]["tasks"]
    assert task["target"]["state"] == "healthy"


def test_a_draining_task_is_shown_with_the_requests_that_it_may_still_cut(virtual, look):
    start_tasks(virtual, 1)
    shift(virtual, 0, 1)
    virtual.run(2)
    virtual.run(1, "checkout", 4, mix=SLOW, slow=30)
    accidents.set_desired_count(virtual.world, "checkout", virtual.now, count=0)
    virtual.run(1)
    shown = look()
    (task,) = shown["way"]["tasks"]["tasks"]
    assert (task["status"], task["target"]["state"], task["target"]["in_flight"]) == ("DEACTIVATING", "draining", 4)
    assert task["target"]["drained_in"] == pytest.approx(9, abs=0.2)
    assert any("1 target drains: 4 requests in flight may end within 9 s." in each["text"] for each in shown["truths"])


def test_weight_on_an_empty_group_is_said(virtual, look):
    shift(virtual, 0, 1)
    virtual.run(3)
    assert "ECS has weight but no target" in look()["truths"][0]["text"]


def test_want_of_capacity_is_said(virtual, look):
    virtual.faults.set("fargate_capacity", 1, "checkout")
    start_tasks(virtual, 3)
    texts = [each["text"] for each in look()["truths"]]
    assert "Fargate has capacity for 1 of the 3 tasks asked for." in texts


def test_calm_is_said_with_the_rate(virtual, look):
    assert look("narrow")["truths"] == [{"kind": "ok", "text": "Nobody sends requests."}]
    virtual.run(5, "narrow", 10, mix=QUICK)
    assert look("narrow")["truths"] == [{"kind": "ok", "text": "Every request is answered, 10 a second."}]


def test_an_alarms_next_evaluation_is_foreseen(virtual, look):
    """CloudWatch User Guide, "Alarm evaluation": M of the last N data points; the view looks one period ahead."""
    virtual.run(20, "checkout", 2, mix=QUICK)
    virtual.run(1)
    before = look()["alarms"][1]
    assert (before["state"], before["would_be"], before["breaching"]) == ("OK", "OK", 0)
    virtual.run(7.5, "checkout", 50, mix=SLOW)
    shown = look()["alarms"][1]
    assert (shown["state"], shown["would_be"], shown["needed"], shown["of"]) == ("OK", "ALARM", 2, 3)
    assert [each["breaches"] for each in shown["periods"]][-2:] == [True, True]
    assert shown["periods"][-1]["open"]
    assert sum(each["counts"] for each in shown["periods"]) == 3
    virtual.run(shown["evaluated_in"] + 0.1)
    assert look()["alarms"][1]["state"] == "ALARM"


def test_a_turned_alarm_is_a_mark_on_the_traffic(virtual, look):
    virtual.run(20, "checkout", 50, mix=SLOW)
    assert {"ALARM"} <= {each["kind"] for each in look()["marks"]}
    assert look()["applications"][0]["alarm"]


def test_a_composite_alarm_is_shown_with_its_rule(virtual_of):
    lab = virtual_of(
        f"{WORLD}\n[[applications.checkout.composite_alarms]]\n"
        'name = "both"\nrule = "ALARM(checkout-lambda-throttles)"\n'
    )
    lab.run(1)
    (shown,) = Eye(lab)()["composite_alarms"]
    assert (shown["name"], shown["rule"], shown["state"]) == ("both", "ALARM(checkout-lambda-throttles)", "OK")


def destined(lab, answers):
    """A destination whose answers come in this order, then 202."""
    accidents_of = iter(answers)
    lab.http.receiver = lambda _headers, _body, at: Answer(next(accidents_of, 202), at)
    lab.world.bus.destination = type("D", (), {"url": "http://hook.invalid", "header": "X", "key": "k"})()


def alarm_events(shown):
    return [each for each in shown["events"]["deliveries"] if each["kind"] == "alarm"]


def test_an_event_is_shown_with_every_attempt_and_the_next(virtual, look):
    destined(virtual, [503, 503])
    accidents.set_alarm_state(virtual.world, "checkout", virtual.now, alarm="checkout-lambda-throttles", state="ALARM")
    virtual.run(0.2)
    event = alarm_events(look())[0]
    assert event["what"] == "checkout-lambda-throttles: OK → ALARM"
    assert ([each["status"] for each in event["attempts"]], event["outcome"]) == ([503], "pending")
    assert 0 < event["next_in"] <= 1
    virtual.run(1)
    assert look()["events"]["counts"]["pending"] >= 1


def test_duplicates_dead_letters_and_held_events_are_told_apart(virtual, look):
    destined(virtual, [400])
    virtual.faults.set("events_duplicated", 1)
    alarm = {"alarm": "checkout-lambda-throttles"}
    accidents.set_alarm_state(virtual.world, "checkout", virtual.now, state="ALARM", **alarm)
    virtual.run(0.2)
    first, second = alarm_events(look())[:2]
    assert {(first["copy"], first["copies"]), (second["copy"], second["copies"])} == {(1, 2), (2, 2)}
    assert {first["outcome"], second["outcome"]} == {"dead", "delivered"}
    virtual.faults.clear()
    virtual.faults.set("events_reordered", True)
    accidents.set_alarm_state(virtual.world, "checkout", virtual.now, state="INSUFFICIENT_DATA", **alarm)
    accidents.set_alarm_state(virtual.world, "checkout", virtual.now, state="ALARM", **alarm)
    virtual.run(0.1)
    counts = look()["events"]["counts"]
    assert (counts["dead"], counts["held"]) == (1, 1)


def test_an_application_sees_its_own_events_alone(virtual, look):
    start_tasks(virtual, 1)
    assert look()["events"]["deliveries"]
    assert look("narrow")["events"]["deliveries"] == []


def test_calls_of_the_last_minute_are_counted_by_what_became_of_them(virtual, look):
    for refused in ("", "", "ThrottlingException", "AccessDeniedException", "silent"):
        look.log.add(Asked("ecs", "DescribeServices", refused), virtual.now)
    (row,) = look()["calls"]
    assert (row["action"], row["calls"], row["throttled"], row["refused"]) == ("ecs:DescribeServices", 5, 1, 2)
    assert row["refusals"] == ["AccessDeniedException", "silent"]
    virtual.run(62)
    assert look()["calls"] == []


def bucket(shown, name):
    return next(each for each in shown["buckets"] if each["name"] == name)


def test_a_bucket_is_shown_with_what_is_left_and_empty_while_others_drain_it(virtual, look):
    for _ in range(5):
        virtual.call("elbv2", "DescribeLoadBalancers")
    assert bucket(look(), "elbv2 non-mutating")["left"] == 35
    virtual.run(0.2)
    assert bucket(look(), "elbv2 non-mutating")["left"] == pytest.approx(37)
    assert bucket(look(), "elbv2 mutating")["left"] == 20
    virtual.faults.set("api_throttled", True)
    assert {each["left"] for each in look()["buckets"]} == {0}


def test_switches_of_this_application_and_of_all_are_shown(virtual, look):
    virtual.faults.set("fargate_capacity", 0, "narrow")
    virtual.faults.set("api_outage", ["ecs"])
    assert look()["switches"] == [{"switch": "api_outage", "application": "", "value": ("ecs",)}]
    assert len(look("narrow")["switches"]) == 2


def test_the_load_that_is_asked_for_stands_beside_what_arrives(virtual, look):
    look.stage.set_load({"application": "checkout", "rate": 30, "slow_percent": 0})
    virtual.run(4, "checkout", 12, mix=QUICK)
    assert look()["load"] == {"rate": 30.0, "slow_percent": 0.0, "arriving": 12.0}


def test_a_scenario_is_shown_with_its_story_on_the_traffic(virtual, look):
    look.stage.play({"name": "surge"}, virtual.now)
    look.stage.advance(virtual.now)
    shown = look()
    assert shown["scenario"]["title"] == "Surge"
    assert "Calm traffic" in {each["text"] for each in shown["marks"] if each["kind"] == "story"}
    assert look("narrow")["marks"] == []


def test_accidents_are_offered_what_there_is(virtual, look):
    start_tasks(virtual, 1)
    offers = look()["offers"]
    assert offers["alarm"] == ["checkout-lambda-concurrency", "checkout-lambda-throttles"]
    assert offers["path"] == ["", "/pong"]
    assert len(offers["task"]) == 2
