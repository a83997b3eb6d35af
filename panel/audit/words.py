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
    DRILL_START = "drill.start"
    DRILL_ABORT = "drill.abort"
    DRILL_END = "drill.end"
    TOKEN_CREATE = "token.create"  # noqa: S105 # nosec B105 # a word, not a secret
    TOKEN_REVOKE = "token.revoke"  # noqa: S105 # nosec B105 # the same
    MEMBER_SET = "member.set"
    TEAM_CREATE = "team.create"
    TEAM_RENAME = "team.rename"
    ACCOUNT_CREATE = "account.create"
    ACCOUNT_SET = "account.set"
    PASSWORD_LINK = "password.link"  # noqa: S105 # nosec B105 # the same
    APPLICATION_IMPORT = "application.import"
    APPLICATION_RETIRE = "application.retire"
    APPLICATION_RESTORE = "application.restore"
    WEBHOOK_KEY_CREATE = "webhook_key.create"
    WEBHOOK_KEY_REVOKE = "webhook_key.revoke"
    NOTIFICATION_ADD = "notification.add"
    NOTIFICATION_CHANGE = "notification.change"
    NOTIFICATION_REMOVE = "notification.remove"
    NOTIFICATION_TEST = "notification.test"
    ACCOUNT_LINK = "account.link"
    LOGIN = "login"
    LOGIN_PROOF = "login.proof"
    LOGIN_FAILED = "login.failed"
    LOGOUT = "logout"
    PASSWORD_CHANGE = "password.change"  # noqa: S105 # nosec B105 # a word, not a secret
    MFA_ADD = "mfa.add"
    MFA_REMOVE = "mfa.remove"
    DENIED = "denied"
    AUDIT_CHECKPOINT = "audit.checkpoint"


class Outcome(StrEnum):
    """`refused`: a rule said no to somebody who may ask. `denied`: somebody may not ask."""

    DONE = "done"
    REFUSED = "refused"
    DENIED = "denied"
