"""The panel's environment variables, read and judged once; `panel.settings` turns them into Django's settings.

Every variable may be given as NAME or as NAME_FILE, a path to a file that holds the value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import FileAwareEnv
from environ.fileaware_mapping import FileAwareMapping

from panel import sign_on
from panel.sign_on import SignOn

BASE_DIR = Path(__file__).resolve().parent.parent

OURS = {
    "PANEL_SECRET_KEY",
    "PANEL_ALIVE_PATH",
    "PANEL_ALLOWED_HOSTS",
    "PANEL_AUDIT_DAYS",
    "PANEL_BASE_URL",
    "PANEL_DEBUG",
    "PANEL_LIVE_PORT",
    "PANEL_OBSERVE_SECONDS",
    "PANEL_METRICS_TOKEN",
    "PANEL_HEARTBEAT_URL",
    "PANEL_OUTBOUND_ALLOW",
    "PANEL_WEBHOOK_HEADER",
    "PANEL_PASSWORD_LOGIN",
    "PANEL_REQUIRE_MFA",
    "PANEL_SESSION_HOURS",
} | sign_on.NAMES
KNOWN = OURS | {"DATABASE_URL", "REDIS_URL", "PORT"}
MOST_DAYS = 36_500
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
MOST_HOURS = 24 * 14
# A field name of HTTP without the underscore, which servers drop, and none that HTTP or we use already.
HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,59}")
TAKEN_HEADERS = {"host", "cookie", "content-type", "content-length", "connection", "range", "user-agent"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(ImproperlyConfigured):
    """A setting is unknown, contradictory or unusable. Its text names the variable and what it takes."""


@dataclass(frozen=True)
class Environment:
    """What the environment asks for, with defaults. `database` is one entry of Django's DATABASES."""

    secret_key: str
    debug: bool
    base_url: str
    hosts: tuple[str, ...]
    live_port: int | None
    observe_seconds: float
    audit_days: int
    redis_url: str
    database: dict[str, Any]
    webhook_header: str = "X-Api-Key"
    metrics_token: str = field(default="", repr=False)
    heartbeat_url: str = field(default="", repr=False)
    alive_path: Path | None = None
    outbound_allow: tuple[str, ...] = ()
    sign_on: SignOn | None = None
    password_login: bool = True
    require_mfa: str = "off"
    session_hours: int = 12

    @property
    def https(self) -> bool:
        return self.base_url.startswith("https://")


def read(variables: Mapping[str, str] = os.environ) -> Environment:
    """Read and judge the environment. Raises SettingsError. A missing secret is left to `require_secret`."""
    _refuse_unknown(variables)
    _refuse_twice(variables)
    env = _Variables(variables)
    debug = env.flag("PANEL_DEBUG")
    base_url = env.text("PANEL_BASE_URL", f"http://127.0.0.1:{env.number('PORT', '8000'):.0f}").rstrip("/")
    _refuse_base_url(base_url, debug=debug)
    return Environment(
        secret_key=env.secret(debug=debug),
        debug=debug,
        base_url=base_url,
        hosts=_hosts(base_url, env.text("PANEL_ALLOWED_HOSTS", "")),
        live_port=int(env.number("PANEL_LIVE_PORT", "0")) or None,
        observe_seconds=env.number("PANEL_OBSERVE_SECONDS", "5"),
        audit_days=env.days("PANEL_AUDIT_DAYS", "400"),
        redis_url=env.redis_url(),
        database=env.database(),
        webhook_header=env.webhook_header(),
        metrics_token=env.metrics_token(),
        heartbeat_url=env.heartbeat_url(),
        alive_path=env.path("PANEL_ALIVE_PATH"),
        outbound_allow=env.outbound_allow(),
        sign_on=(single := env.sign_on()),
        password_login=env.password_login(single),
        require_mfa=env.require_mfa(),
        session_hours=env.session_hours(),
    )


def require_secret(variables: Mapping[str, str] = os.environ) -> None:
    """Raise SettingsError where a process that serves would run without a secret.

    Apart from `read`, because type checkers and test runners import the settings without serving anything.
    """
    if not read(variables).secret_key:
        raise SettingsError(
            "PANEL_SECRET_KEY is not set: give it a long random text, or PANEL_SECRET_KEY_FILE the path of a file that "
            "holds one (for a try on this machine PANEL_DEBUG=on does without)."
        )


class _Variables:
    """Typed access in which every problem is a sentence that names the variable."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._env = FileAwareEnv()
        self._env.ENVIRON = FileAwareMapping(dict(variables))

    def text(self, name: str, default: str) -> str:
        try:
            return str(self._env.str(name, default=default)).strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise SettingsError(f"{name}_FILE names a file that can't be read: {problem}.") from None

    def flag(self, name: str, default: str = "off") -> bool:
        value = self.text(name, default).lower()
        if value not in {"on", "off", "true", "false", "1", "0", "yes", "no"}:
            raise SettingsError(f"{name} is {value!r}; it takes on or off.")
        return value in {"on", "true", "1", "yes"}

    def number(self, name: str, default: str) -> float:
        value = self.text(name, default)
        try:
            number = float(value)
        except ValueError:
            number = -1
        if not 0 <= number <= 65535:
            raise SettingsError(f"{name} is {value!r}; it takes a number from 0 to 65535.")
        return number

    def days(self, name: str, default: str) -> int:
        value = self.text(name, default)
        if not (value.isascii() and value.isdecimal()) or int(value[:6]) > MOST_DAYS:
            raise SettingsError(
                f"{name} is {value!r}; it takes a whole number of days up to {MOST_DAYS}, or 0 to keep everything."
            )
        return int(value)

    def path(self, name: str) -> Path | None:
        value = self.text(name, "")
        if value and not Path(value).parent.is_dir():
            raise SettingsError(f"{name} is {value!r}; it takes a file in a directory that exists.")
        return Path(value) if value else None

    def redis_url(self) -> str:
        url = self.text("REDIS_URL", "redis://127.0.0.1:6379/0")
        if urlsplit(url).scheme not in {"redis", "rediss"}:
            raise SettingsError("REDIS_URL takes redis://host:6379/0, or rediss:// for TLS.")
        return url

    def webhook_header(self) -> str:
        name = self.text("PANEL_WEBHOOK_HEADER", "X-Api-Key")
        if not HEADER_NAME.fullmatch(name) or name.lower() in TAKEN_HEADERS:
            raise SettingsError(
                f"PANEL_WEBHOOK_HEADER is {name!r}; it takes a header's name of letters, digits and hyphens that HTTP "
                f"itself does not use, like X-Api-Key."
            )
        return name

    def metrics_token(self) -> str:
        token = self.text("PANEL_METRICS_TOKEN", "")
        if 0 < len(token) < 16:
            raise SettingsError("PANEL_METRICS_TOKEN is shorter than 16 characters; give it a long random text.")
        return token

    def heartbeat_url(self) -> str:
        """May hold a secret in its path, so that no message shows it."""
        url = self.text("PANEL_HEARTBEAT_URL", "")
        address = urlsplit(url)
        usable = address.scheme in {"http", "https"} and address.hostname and url.isascii() and url.isprintable()
        if url and (not usable or " " in url):
            raise SettingsError("PANEL_HEARTBEAT_URL takes an address like https://monitor.example.com/ping/some-id.")
        return url

    def outbound_allow(self) -> tuple[str, ...]:
        """Networks and hosts' names in lower case."""
        listed = (each.strip().lower().rstrip(".") for each in self.text("PANEL_OUTBOUND_ALLOW", "").split(","))
        return tuple(_network_or_host(each) for each in listed if each)

    def sign_on(self) -> SignOn | None:
        try:
            return sign_on.read(self.text)
        except ValueError as problem:
            raise SettingsError(str(problem)) from None

    def password_login(self, single: SignOn | None) -> bool:
        on = self.flag("PANEL_PASSWORD_LOGIN", "on")
        if not on and single is None:
            raise SettingsError("PANEL_PASSWORD_LOGIN is off without single sign-on: set PANEL_OIDC_ISSUER as well.")
        return on

    def require_mfa(self) -> str:
        whom = self.text("PANEL_REQUIRE_MFA", "off").lower()
        if whom not in {"off", "admins", "all"}:
            raise SettingsError(f"PANEL_REQUIRE_MFA is {whom!r}; it takes off, admins or all.")
        return whom

    def session_hours(self) -> int:
        value = self.text("PANEL_SESSION_HOURS", "12")
        if not (value.isascii() and value.isdecimal()) or not 1 <= int(value[:6]) <= MOST_HOURS:
            raise SettingsError(f"PANEL_SESSION_HOURS is {value!r}; it takes whole hours from 1 to {MOST_HOURS}.")
        return int(value)

    def secret(self, *, debug: bool) -> str:
        secret = self.text("PANEL_SECRET_KEY", "only-for-debugging-on-this-machine-" * 2 if debug else "")
        if 0 < len(secret) < 50:
            raise SettingsError("PANEL_SECRET_KEY is shorter than 50 characters; give it a long random text.")
        return secret

    def database(self) -> dict[str, Any]:
        url = self.text("DATABASE_URL", "")
        # Judged here: django-environ would print an address that it doesn't know, password and all.
        if url and urlsplit(url).scheme not in {"postgres", "postgresql", "sqlite"}:
            raise SettingsError(
                "DATABASE_URL takes postgres://user:password@host:5432/name or sqlite:////path/to/file."
            )
        database = dict(self._env.db_url_config(url)) if url else _own_sqlite()
        return {**database, "OPTIONS": {**_DATABASE_OPTIONS[database["ENGINE"]], **database.get("OPTIONS", {})}}


def _network_or_host(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        if HOST_NAME.fullmatch(text) and not text.replace(".", "").isdecimal():
            return text
    raise SettingsError(
        f"PANEL_OUTBOUND_ALLOW names {text!r}; it takes networks like 10.0.0.0/8 and hosts' names, with commas between."
    )


def _own_sqlite() -> dict[str, Any]:
    folder = BASE_DIR / "var"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as problem:
        raise SettingsError(
            f"DATABASE_URL is not set, and a database in {folder} can't be made ({problem.strerror}): give it "
            "postgres://user:password@host:5432/name, or DATABASE_URL_FILE the path of a file that holds that."
        ) from None
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "panel.sqlite3")}


_DATABASE_OPTIONS: dict[str, dict[str, Any]] = {
    # Immediate: a transaction that reads before it writes can't be refused halfway for a stale read.
    # The time-out stays below the 5 s that EventBridge waits for the webhook's answer.
    "django.db.backends.sqlite3": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 3,
        "init_command": "PRAGMA journal_mode=WAL;",
    },
    "django.db.backends.postgresql": {
        "connect_timeout": 3,
        "pool": {"min_size": 1, "max_size": 8, "timeout": 3},
    },
}


def _refuse_unknown(variables: Mapping[str, str]) -> None:
    for name in sorted(variables):
        if name.startswith("PANEL_") and name.removesuffix("_FILE") not in OURS:
            raise SettingsError(f"{name} is no setting of the panel; it knows {', '.join(sorted(OURS))}.")


def _refuse_twice(variables: Mapping[str, str]) -> None:
    for name in sorted(KNOWN):
        if variables.get(name) and variables.get(f"{name}_FILE"):
            raise SettingsError(f"{name} and {name}_FILE are both set; keep one of them.")


def _refuse_base_url(base_url: str, *, debug: bool) -> None:
    address = urlsplit(base_url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise SettingsError(f"PANEL_BASE_URL is {base_url!r}; it takes an address like https://panel.example.com.")
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        raise SettingsError(f"PANEL_BASE_URL is {base_url!r}; beyond this machine it must start with https://.")
    if debug and address.hostname not in LOOPBACK:
        raise SettingsError(
            f"PANEL_DEBUG is on while PANEL_BASE_URL is {base_url!r}; debugging is for this machine only."
        )


def _hosts(base_url: str, allowed: str) -> tuple[str, ...]:
    host = urlsplit(base_url).hostname or ""
    own = ("127.0.0.1", "localhost", "[::1]") if host in LOOPBACK else (host,)
    return own + tuple(name.strip() for name in allowed.split(",") if name.strip())
