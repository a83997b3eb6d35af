"""What was done, and how it ended, in the words that filters and scripts rely on: add to them, but never change one."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    OPERATION_START = "operation.start"
    OPERATION_CANCEL = "operation.cancel"
    OPERATION_SUPERSEDE = "operation.supersede"
    OPERATION_RETRY = "operation.retry"
    OPERATION_END = "operation.end"
    OPERATION_IMPORT = "operation.import"
    HOLD_PLACE = "hold.place"
    HOLD_RELEASE = "hold.release"
    MODE_SET = "mode.set"
    KILL_SWITCH_SET = "kill_switch.set"
    ACKNOWLEDGE = "acknowledge"
    TOKEN_CREATE = "token.create"  # noqa: S105 - a word, not a secret
    TOKEN_REVOKE = "token.revoke"  # noqa: S105
    MEMBER_SET = "member.set"
    TEAM_CREATE = "team.create"
    APPLICATION_IMPORT = "application.import"
    WEBHOOK_KEY_CREATE = "webhook_key.create"
    WEBHOOK_KEY_REVOKE = "webhook_key.revoke"
    LOGIN = "login"
    LOGIN_FAILED = "login.failed"
    LOGOUT = "logout"
    PASSWORD_CHANGE = "password.change"  # noqa: S105 - a word, not a secret
    DENIED = "denied"
    AUDIT_CHECKPOINT = "audit.checkpoint"


class Outcome(StrEnum):
    """`refused`: a rule said no to somebody who may ask. `denied`: somebody may not ask."""

    DONE = "done"
    REFUSED = "refused"
    DENIED = "denied"
