"""Single sign-on as the environment describes it: one OpenID Connect provider, and which group gives which role."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PREFIX = "PANEL_OIDC_"
PARTS = ("NAME", "ISSUER", "CLIENT_ID", "CLIENT_SECRET", "SCOPES", "GROUPS_CLAIM", "GROUPS")
NAMES = {f"{PREFIX}{part}" for part in PARTS}
NEEDED = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "GROUPS")
ROLES = ("viewer", "operator", "admin")
EVERY_TEAM = "all"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
SHAPE = (
    "GROUP=TEAM:ROLE, more of them on lines of their own or after a semicolon, like sre=all:operator;dev=shop:viewer"
)


@dataclass(frozen=True)
class Grant:
    """Whoever is in `group` has `role` in `team`, a slug, or in every team where it is `all`."""

    group: str
    team: str
    role: str


@dataclass(frozen=True)
class SignOn:
    """`issuer` exactly as the provider's own discovery document spells it."""

    name: str
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    groups_claim: str
    grants: tuple[Grant, ...]
    client_secret: str = field(repr=False)

    @property
    def provider_id(self) -> str:
        """Part of the address that the provider sends people back to, and of what accounts are found by: another issuer
        is another provider, whose people are not those of the first who happen to have the same identifiers.
        """
        address = urlsplit(self.issuer)
        return re.sub(r"[^A-Za-z0-9.-]+", "-", f"{address.netloc}{address.path}".rstrip("/"))

    @property
    def discovery(self) -> str:
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"


def read(text: Callable[[str, str], str]) -> SignOn | None:
    """What the PANEL_OIDC_* variables ask for, None without any. `text` reads one, with its default.

    Raises ValueError with a sentence that names the variable.
    """
    given = {name.removeprefix(PREFIX): text(name, "") for name in sorted(NAMES)}
    if not any(given.values()):
        return None
    for part in NEEDED:
        if not given[part]:
            raise ValueError(f"{PREFIX}{part} is not set, while {_first_set(given)} is: single sign-on needs it.")
    return SignOn(
        name=_name(given["NAME"] or "single sign-on"),
        issuer=_issuer(given["ISSUER"]),
        client_id=given["CLIENT_ID"],
        client_secret=given["CLIENT_SECRET"],
        scopes=tuple(dict.fromkeys(["openid", *(given["SCOPES"] or "profile email").split()])),
        groups_claim=given["GROUPS_CLAIM"] or "groups",
        grants=grants(given["GROUPS"]),
    )


def _first_set(given: Mapping[str, str]) -> str:
    return next(f"{PREFIX}{part}" for part, value in given.items() if value)


def _name(name: str) -> str:
    if len(name) > 40 or not name.isprintable():
        raise ValueError(f"{PREFIX}NAME is what the login page says after “Sign in with”: at most 40 letters.")
    return name


def _issuer(issuer: str) -> str:
    """Over TLS alone: that the ID token comes from the provider itself is what vouches for it."""
    address = urlsplit(issuer)
    safe = address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK)
    if not safe or not address.hostname or address.query or address.fragment or address.username:
        raise ValueError(f"{PREFIX}ISSUER is {issuer!r}; it takes the provider's address, like https://id.example.com.")
    return issuer


def grants(mapping: str) -> tuple[Grant, ...]:
    """Parse PANEL_OIDC_GROUPS. Raises ValueError. A group may hold `=` and `,`, as LDAP's names do."""
    found = [_grant(each.strip()) for each in re.split(r"[;\n]", mapping) if each.strip()]
    for number, grant in enumerate(found):
        for other in found[:number]:
            if (other.group, other.team) == (grant.group, grant.team):
                raise ValueError(f"{PREFIX}GROUPS gives {grant.group!r} two roles in {grant.team!r}; keep one of them.")
    return tuple(found)


def _grant(text: str) -> Grant:
    group, _, place = text.rpartition("=")
    team, _, role = place.partition(":")
    if not group.strip() or role.strip() not in ROLES or not SLUG.fullmatch(team.strip()):
        raise ValueError(f"{PREFIX}GROUPS has {text!r}; it takes {SHAPE}. A role is one of {', '.join(ROLES)}.")
    return Grant(group.strip(), team.strip(), role.strip())


def providers(single: SignOn | None) -> dict[str, object]:
    """SOCIALACCOUNT_PROVIDERS, as allauth reads it."""
    if single is None:
        return {}
    app = {
        "provider_id": single.provider_id,
        "name": single.name,
        "client_id": single.client_id,
        "secret": single.client_secret,
        "settings": {
            "server_url": single.discovery,
            "scope": list(single.scopes),
            "oauth_pkce_enabled": True,
            # Whoever issued the ID token must be the one whom the settings name, whatever the document says.
            "openid_configuration_overrides": {"issuer": single.issuer},
        },
    }
    return {"openid_connect": {"APPS": [app]}}
