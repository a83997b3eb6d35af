"""Any sound configuration of an application, as TOML reads it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

ACCOUNT, REGION = "123456789012", "sa-east-1"
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
# Quotes, backslashes, other scripts, and whatever TOML must write in its own way; but no control characters.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
WORD = st.text("abcxyz019-", min_size=1, max_size=20)


def group(name: str) -> st.SearchStrategy[str]:
    return WORD.map(lambda end: f"{ELB}:targetgroup/{name}/{end}")


def maybe(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


def number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.one_of(st.integers(int(low), int(high)), st.floats(low, high))


ROUTE = st.one_of(
    WORD.map(lambda end: {"listener_arn": f"{ELB}:listener/app/web/1/{end}"}),
    WORD.map(lambda end: {"rule_arn": f"{ELB}:listener-rule/app/web/1/2/{end}"}),
)
APPLICATION = st.builds(
    lambda required, optional: {**required, **optional},
    st.fixed_dictionaries(
        {
            "slug": st.just("checkout"),
            "region": st.just(REGION),
            "alarms": st.lists(TEXT, min_size=1, max_size=3),
        }
    ),
    maybe(
        name=TEXT,
        role_arn=st.sampled_from(["", f"arn:aws:iam::{ACCOUNT}:role/failover"]),
        external_id=st.just(""),
        alarm_rule=st.sampled_from(["any", "all"]),
        prewarm_alarms=st.lists(TEXT, max_size=2),
        mode=st.sampled_from(["auto", "observe", "off"]),
        probe_url=st.sampled_from(["", "https://api.example.com/", "http://10.0.0.1:8080/a?b=c#d"]),
        probe_header=st.sampled_from(["X-Pool", "X-Served-By"]),
        lease_table=st.sampled_from(["", "leases"]),
    ),
)
POLICY = maybe(
    failover_count=st.integers(10, 5000),
    standby_count=st.integers(0, 5000),
    min_healthy=st.integers(1, 2),
    requests_per_task=number(0, 1_000_000),
    shift_steps=st.sets(st.integers(1, 99), max_size=4).map(lambda each: [*sorted(each), 100]),
    failback_steps=st.sets(st.integers(1, 99), max_size=4).map(lambda each: [*sorted(each, reverse=True), 0]),
    step_seconds=number(0, 3600),
    healthy_checks=st.integers(1, 20),
    max_5xx_percent=number(0, 100),
    on_inconclusive=st.sampled_from(["hold", "continue"]),
    bake_seconds=number(0, 86_400),
    demand_headroom=number(0, 1),
    metric_period_seconds=st.sampled_from([1, 5, 60, 3600]),
    probe_timeout_seconds=st.floats(0.1, 30),
)
DRILLS = maybe(
    schedule=st.sampled_from(["", "30 3 * * 2"]),
    rehearsal_schedule=st.sampled_from(["", "0 4 * * 1"]),
    time_zone=st.sampled_from(["UTC", "America/Sao_Paulo"]),
    blocked=st.lists(st.sampled_from(["Mon-Fri 08:00-18:00", "daily 22:00-06:00"]), max_size=2),
    blocking_alarms=st.lists(TEXT, max_size=2),
    aborting_alarms=st.lists(TEXT, max_size=2),
    target_seconds=number(0, 86_400),
    stay_seconds=number(0, 3600),
)
SOUND = st.builds(
    lambda required, policy: {**required, **policy},
    st.fixed_dictionaries(
        {
            "application": APPLICATION,
            "lambda": st.fixed_dictionaries({"function_name": TEXT, "target_group_arn": group("l")}),
            "ecs": st.fixed_dictionaries({"cluster": TEXT, "service": TEXT, "target_group_arn": group("e")}),
            "routes": st.lists(ROUTE, min_size=1, max_size=3, unique_by=str),
        }
    ),
    maybe(policy=POLICY, drills=DRILLS),
)
