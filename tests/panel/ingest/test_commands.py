"""Making and revoking webhook keys on the command line."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.panel.ingest.conftest import Deliver, alarm_event


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_secret_alone_is_printed_and_opens_the_webhook_until_revoked(deliver: Deliver) -> None:
    secret = run("create_webhook_key", "prod").removesuffix("\n")
    assert len(secret.split()) == 1
    assert deliver(alarm_event(), secret=secret).status_code == 202
    run("revoke_webhook_key", "prod")
    assert deliver(alarm_event(), secret=secret).status_code == 401


def test_a_name_is_given_once(deliver: Deliver) -> None:
    with pytest.raises(CommandError, match="'eventbridge' already"):
        run("create_webhook_key", "eventbridge")


@pytest.mark.django_db
def test_an_unknown_key_can_not_be_revoked() -> None:
    with pytest.raises(CommandError, match="no webhook key 'nobody'"):
        run("revoke_webhook_key", "nobody")


def test_keys_are_listed_with_their_use_and_without_their_secrets(deliver: Deliver, key: str) -> None:
    deliver(alarm_event())
    other = run("create_webhook_key", "old").strip()
    run("revoke_webhook_key", "old")
    heading, used, revoked = [line.split() for line in run("webhook_keys").splitlines()]
    assert heading == ["NAME", "CREATED", "LAST", "USED", "REVOKED"]
    assert (used[0], used[-1], len(used)) == ("eventbridge", "-", 6)
    assert (revoked[0], revoked[3], len(revoked)) == ("old", "-", 6)
    assert not {key, other} & set(used + revoked)


def test_two_keys_work_at_once_so_that_one_can_replace_the_other(deliver: Deliver, key: str) -> None:
    new = run("create_webhook_key", "next").strip()
    assert [deliver(alarm_event(id=secret), secret=secret).status_code for secret in (key, new)] == [202, 202]
    run("revoke_webhook_key", "eventbridge")
    assert [deliver(alarm_event(), secret=secret).status_code for secret in (key, new)] == [401, 202]
