"""Whether an application's alarms go off in time, and come back by themselves.

Source: CloudWatch metrics for Lambda (an idle function publishes nothing); CloudWatch user guide, "How alarms treat
missing data".
"""

from __future__ import annotations

from collections.abc import Iterator

from failover.cautions import late
from failover.demand import CONCURRENCY_METRIC
from failover.model import Application, Limits
from failover.precondition_facts import AlarmFacts, Check, Facts, Result, unread

THROTTLES_METRIC = "Throttles"
STATISTICS = {CONCURRENCY_METRIC: "Maximum", THROTTLES_METRIC: "Sum"}
SLOW_SECONDS = 300  # an alarm that may take longer to go off comes late


def alarms(application: Application, facts: Facts) -> Iterator[Check]:
    found = facts.alarms.value
    if found is None:
        yield unread("Alarms", facts.alarms)
        return
    for key, names in (("alarms", application.alarms), ("prewarm_alarms", application.prewarm_alarms)):
        for name in names:
            if name in found:
                yield from _alarm(application, found[name], facts.limits.value)
            else:
                yield Check(
                    "Alarms",
                    Result.FAIL,
                    f"There is no alarm {name} in {application.account}, {application.region}.",
                    f"Create it, or correct application.{key}.",
                )


def _alarm(application: Application, alarm: AlarmFacts, limits: Limits | None) -> Iterator[Check]:
    problems = list(_alarm_problems(application, alarm, limits))
    if not problems:
        kind = f"{alarm.statistic} of {alarm.metric}" if alarm.metric else "a composite alarm"
        yield Check("Alarms", Result.PASS, f"{alarm.name}: {kind}, with sound settings.")
    for result, says, remedy in problems:
        yield Check("Alarms", result, f"{alarm.name}: {says}", remedy)


def _alarm_problems(
    application: Application, alarm: AlarmFacts, limits: Limits | None
) -> Iterator[tuple[Result, str, str]]:
    if not alarm.actions_enabled:
        said = "its actions are disabled, which says that nothing is to follow: it never starts anything."
        yield Result.FAIL, said, f"aws cloudwatch enable-alarm-actions --alarm-names {alarm.name}"
    if not alarm.metric:
        return
    wanted = STATISTICS.get(alarm.metric)
    if wanted and alarm.statistic != wanted:
        yield Result.FAIL, f"it watches the {alarm.statistic} of {alarm.metric}.", f"Set its statistic to {wanted}."
    if wanted and alarm.missing_data != "notBreaching":
        yield Result.FAIL, _idle(alarm.missing_data), "Set TreatMissingData to notBreaching."
    if wanted and alarm.function and alarm.function != application.function_name.split(":function:")[-1]:
        yield Result.WARN, f"it watches the function {alarm.function}.", "Check that this is meant."
    if alarm.metric == CONCURRENCY_METRIC and alarm.threshold is not None and limits:
        for sentence in late(application, alarm.name, alarm.threshold, limits):
            yield Result.FAIL, *_split(sentence)
    if alarm.period * alarm.evaluation_periods > SLOW_SECONDS:
        minutes = alarm.period * alarm.evaluation_periods / 60
        yield Result.WARN, f"it may take {minutes:g} minutes to go off.", "Shorten its period or evaluation periods."


def _idle(missing_data: str) -> str:
    comes = {
        "missing": "goes to INSUFFICIENT_DATA, which is no OK: nothing fails back by itself",
        "breaching": "goes to ALARM on an idle function",
        "ignore": "stays in ALARM once traffic has left Lambda, so that nothing fails back by itself",
    }.get(missing_data, "does what nobody foresees")
    return f"it treats missing data as {missing_data}: without traffic it {comes}."


def _split(sentence: str) -> tuple[str, str]:
    says, _, remedy = sentence.partition(": ")
    return f"it goes off{says.partition(' goes off')[2]}.", f"{remedy[:1].upper()}{remedy[1:]}"
