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
