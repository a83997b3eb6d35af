"""What to set up in EventBridge so that an application's alarms reach this panel, as commands to copy."""

from __future__ import annotations

import json

import failover.model

ROLE, QUEUE = "ROLE-ARN", "QUEUE-ARN"
RETRIES = "RetryPolicy={MaximumRetryAttempts=185,MaximumEventAgeInSeconds=86400}"  # AWS's own defaults, said


def commands(application: failover.model.Application, hook: str, header: str) -> str:
    """The rule names the application's alarms and its service, and nothing else. docs/webhook.md explains each."""
    region = application.region
    pattern = json.dumps(
        {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": [*application.alarms, *application.prewarm_alarms]},
        }
    )
    name = f"failover-{application.slug}"
    return "\n".join((
        f"aws events create-connection --region {region} --name failover-panel --authorization-type API_KEY \\",
        f"  --auth-parameters 'ApiKeyAuthParameters={{ApiKeyName={header},ApiKeyValue=THE-WEBHOOK-KEY}}'",
        f"aws events create-api-destination --region {region} --name failover-panel --connection-arn CONNECTION-ARN \\",
        f"  --invocation-endpoint {hook} --http-method POST --invocation-rate-limit-per-second 300",
        f"aws events put-rule --region {region} --name {name} --event-pattern \\",
        f"  {_quoted(pattern)}",
        f"aws events put-targets --region {region} --rule {name} --targets \\",
        f"  'Id=panel,Arn=API-DESTINATION-ARN,RoleArn={ROLE},DeadLetterConfig={{Arn={QUEUE}}},{RETRIES}'",
    ))  # fmt: skip


def test_command(application: failover.model.Application) -> str:
    """One event, without anything that follows: INSUFFICIENT_DATA starts nothing, and CloudWatch sets the alarm back
    at its next evaluation. ALARM would be acted upon.
    """
    return (
        f"aws cloudwatch set-alarm-state --region {application.region} --alarm-name {_quoted(application.alarms[0])} "
        "--state-value INSUFFICIENT_DATA --state-reason 'Does it reach the panel?'"
    )


def _quoted(text: str) -> str:
    """For a shell, whatever is in it."""
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"
