"""Settings from the environment: good defaults, and a sentence that names the variable where one is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from panel import environment

ROOT = Path(__file__).parents[2]
SECRET = "correct-horse-battery-staple-and-fifty-more-characters"

OIDC = {
    "PANEL_OIDC_ISSUER": "https://id.example.com/realms/ops/",
    "PANEL_OIDC_CLIENT_ID": "panel",
    "PANEL_OIDC_CLIENT_SECRET": "hunter2",
    "PANEL_OIDC_GROUPS": "sre=all:operator; cn=ops,ou=groups=shop:admin\nsre=shop:viewer",
}


@pytest.mark.parametrize(
    ("variables", "name", "sentence"),
    [
        ({"PANEL_SECRET": "x"}, "PANEL_SECRET", "no setting of the panel"),
        ({"PANEL_DEBUGGING_FILE": "x"}, "PANEL_DEBUGGING_FILE", "no setting of the panel"),
        ({"PANEL_DEBUG": "maybe"}, "PANEL_DEBUG", "on or off"),
        ({"PANEL_SECRET_KEY": "short"}, "PANEL_SECRET_KEY", "shorter than 50"),
        ({"PANEL_SECRET_KEY": SECRET, "PANEL_SECRET_KEY_FILE": "/x"}, "PANEL_SECRET_KEY_FILE", "keep one"),
        ({"PANEL_SECRET_KEY_FILE": "/nonexistent"}, "PANEL_SECRET_KEY_FILE", "can't be read"),
        ({"PANEL_LIVE_PORT": "many"}, "PANEL_LIVE_PORT", "a number"),
        ({"PANEL_OBSERVE_SECONDS": "-5"}, "PANEL_OBSERVE_SECONDS", "a number"),
        ({"PANEL_AUDIT_DAYS": "a year"}, "PANEL_AUDIT_DAYS", "whole number of days"),
        ({"PANEL_AUDIT_DAYS": "-1"}, "PANEL_AUDIT_DAYS", "whole number of days"),
        ({"PANEL_AUDIT_DAYS": "9" * 5000}, "PANEL_AUDIT_DAYS", "up to 36500"),
        ({"PANEL_BASE_URL": "panel.example.com"}, "PANEL_BASE_URL", "an address like"),
        ({"PANEL_BASE_URL": "http://panel.example.com"}, "PANEL_BASE_URL", "https://"),
        ({"PANEL_BASE_URL": "https://panel.example.com", "PANEL_DEBUG": "on"}, "PANEL_DEBUG", "this machine only"),
        ({"DATABASE_URL": "mysql://a:b@c/d"}, "DATABASE_URL", "postgres://"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL", "postgres://"),
        ({"REDIS_URL": "amqp://broker"}, "REDIS_URL", "redis://"),
        ({"PANEL_WEBHOOK_HEADER": "X_Api_Key"}, "PANEL_WEBHOOK_HEADER", "letters, digits and hyphens"),
        ({"PANEL_WEBHOOK_HEADER": "Cookie"}, "PANEL_WEBHOOK_HEADER", "HTTP itself does not use"),
        ({"PANEL_METRICS_TOKEN": "short"}, "PANEL_METRICS_TOKEN", "shorter than 16"),
        ({"PANEL_HEARTBEAT_URL": "ftp://x"}, "PANEL_HEARTBEAT_URL", "an address like"),
        ({"PANEL_OUTBOUND_ALLOW": "10.0.0.0/8, http://x"}, "PANEL_OUTBOUND_ALLOW", "networks like 10.0.0.0/8"),
        ({"PANEL_OUTBOUND_ALLOW": "10.0.0.0/99"}, "PANEL_OUTBOUND_ALLOW", "networks like 10.0.0.0/8"),
        ({"PANEL_OIDC_NAME": "ID"}, "PANEL_OIDC_ISSUER", "while PANEL_OIDC_NAME is: single sign-on needs it"),
        ({**OIDC, "PANEL_OIDC_CLIENT_SECRET": ""}, "PANEL_OIDC_CLIENT_SECRET", "is not set"),
        ({**OIDC, "PANEL_OIDC_GROUPS": ""}, "PANEL_OIDC_GROUPS", "is not set"),
        ({**OIDC, "PANEL_OIDC_ISSUER": "http://id.example.com"}, "PANEL_OIDC_ISSUER", "like https://"),
        ({**OIDC, "PANEL_OIDC_ISSUER": "id.example.com"}, "PANEL_OIDC_ISSUER", "like https://"),
        ({**OIDC, "PANEL_OIDC_NAME": "x" * 41}, "PANEL_OIDC_NAME", "at most 40"),
        ({**OIDC, "PANEL_OIDC_GROUPS": "sre"}, "PANEL_OIDC_GROUPS", "GROUP=TEAM:ROLE"),
        ({**OIDC, "PANEL_OIDC_GROUPS": "sre=all:root"}, "PANEL_OIDC_GROUPS", "viewer, operator, admin"),
        ({**OIDC, "PANEL_OIDC_GROUPS": "sre=a b:admin"}, "PANEL_OIDC_GROUPS", "GROUP=TEAM:ROLE"),
        ({**OIDC, "PANEL_OIDC_GROUPS": "sre=all:admin;sre=all:viewer"}, "PANEL_OIDC_GROUPS", "two roles in 'all'"),
        ({**OIDC, "PANEL_OIDC_ISUER": "x"}, "PANEL_OIDC_ISUER", "no setting of the panel"),
        ({"PANEL_PASSWORD_LOGIN": "off"}, "PANEL_PASSWORD_LOGIN", "without single sign-on"),
        ({"PANEL_REQUIRE_MFA": "some"}, "PANEL_REQUIRE_MFA", "off, admins or all"),
        ({"PANEL_SESSION_HOURS": "0"}, "PANEL_SESSION_HOURS", "from 1 to 336"),
        ({"PANEL_SESSION_HOURS": "1.5"}, "PANEL_SESSION_HOURS", "whole hours"),
    ],
)
def test_a_wrong_setting_is_a_sentence_that_names_it(variables: dict[str, str], name: str, sentence: str) -> None:
    with pytest.raises(environment.SettingsError) as error:
        environment.read(variables)
    assert name in str(error.value)
    assert sentence in str(error.value)


def test_a_password_in_the_database_address_is_never_shown() -> None:
    with pytest.raises(environment.SettingsError) as error:
        environment.read({"DATABASE_URL": "mysql://user:hunter2@c/d"})
    assert "hunter2" not in str(error.value)


def test_networks_and_hosts_that_may_be_asked_are_read_as_a_list() -> None:
    read = environment.read({"PANEL_OUTBOUND_ALLOW": "127.0.0.0/8, ::1,Lab.Example.com."})
    assert read.outbound_allow == ("127.0.0.0/8", "::1/128", "lab.example.com")


def test_an_address_that_may_be_secret_is_never_shown() -> None:
    with pytest.raises(environment.SettingsError) as error:
        environment.read({"PANEL_HEARTBEAT_URL": "gopher://x/hunter2"})
    assert "hunter2" not in str(error.value)
    assert "hunter2" not in repr(environment.read({"PANEL_HEARTBEAT_URL": "https://x/hunter2"}))


def test_single_sign_on_is_read_with_groups_of_any_name() -> None:
    single = environment.read({**OIDC, "PANEL_PASSWORD_LOGIN": "off"}).sign_on
    assert single is not None
    assert (single.name, single.groups_claim, single.scopes) == (
        "single sign-on",
        "groups",
        ("openid", "profile", "email"),
    )
    assert [(each.group, each.team, each.role) for each in single.grants] == [
        ("sre", "all", "operator"),
        ("cn=ops,ou=groups", "shop", "admin"),
        ("sre", "shop", "viewer"),
    ]
    assert single.provider_id == "id.example.com-realms-ops"
    assert single.discovery == "https://id.example.com/realms/ops/.well-known/openid-configuration"
    assert "hunter2" not in repr(environment.read(OIDC))


def test_nothing_set_is_the_panel_on_this_machine() -> None:
    env = environment.read({})
    assert (env.base_url, env.https, env.debug) == ("http://127.0.0.1:8000", False, False)
    assert "127.0.0.1" in env.hosts
    assert env.database["ENGINE"] == "django.db.backends.sqlite3"
    assert (env.live_port, env.observe_seconds, env.audit_days) == (None, 5, 400)


def test_the_base_url_follows_the_port() -> None:
    assert environment.read({"PORT": "8123"}).base_url == "http://127.0.0.1:8123"


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "database").write_text("postgres://panel:p%40ss@db.internal:5433/panel\n")
    env = environment.read({"PANEL_SECRET_KEY_FILE": f"{tmp_path}/secret", "DATABASE_URL_FILE": f"{tmp_path}/database"})
    assert env.secret_key == SECRET
    database = env.database
    assert (database["HOST"], database["PORT"], database["PASSWORD"]) == ("db.internal", 5433, "p@ss")
    assert database["OPTIONS"]["pool"]


def test_a_public_address_is_the_host_that_is_answered_to() -> None:
    env = environment.read({"PANEL_BASE_URL": "https://panel.example.com/", "PANEL_ALLOWED_HOSTS": "a.example, b"})
    assert env.https
    assert env.hosts == ("panel.example.com", "a.example", "b")


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PANEL_", "DATABASE_URL"))}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**clean, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("variables", [{}, {"PANEL_TYPO": "x"}], ids=["no secret", "unknown"])
def test_manage_stops_with_one_sentence_and_no_traceback(variables: dict[str, str]) -> None:
    result = manage("check", **variables)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("PANEL_")


def test_the_deployment_check_is_clean() -> None:
    result = manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        PANEL_SECRET_KEY=SECRET,
        PANEL_BASE_URL="https://panel.example.com",
    )
    assert result.returncode == 0, result.stderr


def test_no_migration_is_missing() -> None:
    result = manage("makemigrations", "--check", "--dry-run", PANEL_DEBUG="on")
    assert result.returncode == 0, result.stdout
