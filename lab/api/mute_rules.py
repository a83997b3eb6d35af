"""CloudWatch: alarm mute rules."""

from typing import Any

from lab.api.paging import page
from lab.errors import AwsError
from lab.mute_rules import MuteRule, begin_of, seconds_of
from lab.world import World

MOST_ALARMS = 100
MUTE_TYPE = "ONE_TIME"


def put_alarm_mute_rule(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    unknown = set(given) - {"Name", "Description", "Rule", "MuteTargets"}
    if unknown:
        raise AwsError("ValidationError", f"The lab's mute rules have no {', '.join(sorted(unknown))}")
    schedule = given["Rule"]["Schedule"]
    if schedule.get("Timezone", "UTC") != "UTC":
        raise AwsError("ValidationError", "The lab's mute rules are in UTC")
    alarms = given.get("MuteTargets", {}).get("AlarmNames", [])
    if len(alarms) > MOST_ALARMS:
        raise AwsError("ValidationError", f"MuteTargets may name at most {MOST_ALARMS} alarms")
    for name in alarms:
        world.alarm(name)
    world.mute_rules[given["Name"]] = MuteRule(
        name=given["Name"],
        arn=world.arn("cloudwatch", f"alarm-mute-rule:{given['Name']}"),
        expression=schedule["Expression"],
        duration=schedule["Duration"],
        alarms=tuple(alarms),
        description=given.get("Description", ""),
        updated=now,
        begin=begin_of(schedule["Expression"]),
        seconds=seconds_of(schedule["Duration"]),
    )
    return {}


def get_alarm_mute_rule(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    rule = world.mute_rules.get(given["AlarmMuteRuleName"])
    if rule is None:
        raise AwsError("ResourceNotFoundException", f"Mute rule {given['AlarmMuteRuleName']} does not exist", 404)
    return {
        "Name": rule.name,
        "Description": rule.description or None,
        "Rule": {"Schedule": {"Expression": rule.expression, "Duration": rule.duration}},
        "MuteTargets": {"AlarmNames": list(rule.alarms)},
        **_summary(rule, now),
    }


def list_alarm_mute_rules(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    statuses = given.get("Statuses")
    found = [
        rule
        for rule in world.mute_rules.values()
        if given.get("AlarmName") in {None, *rule.alarms} and (not statuses or rule.status(now) in statuses)
    ]
    shown, token = page(found, given.get("NextToken"), given.get("MaxRecords", 50), "InvalidNextToken")
    return {"AlarmMuteRuleSummaries": [_summary(rule, now) for rule in shown], "NextToken": token}


def delete_alarm_mute_rule(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """One that does not exist is no error."""
    world.mute_rules.pop(given["AlarmMuteRuleName"], None)
    return {}


def _summary(rule: MuteRule, now: float) -> dict[str, Any]:
    return {
        "AlarmMuteRuleArn": rule.arn,
        "Status": rule.status(now),
        "MuteType": MUTE_TYPE,
        "LastUpdatedTimestamp": rule.updated,
    }


OPERATIONS = {
    "PutAlarmMuteRule": put_alarm_mute_rule,
    "GetAlarmMuteRule": get_alarm_mute_rule,
    "ListAlarmMuteRules": list_alarm_mute_rules,
    "DeleteAlarmMuteRule": delete_alarm_mute_rule,
}
