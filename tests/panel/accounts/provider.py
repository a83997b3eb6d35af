"""A real OpenID Connect provider on loopback, the panel's settings for it, and a browser that goes there and back."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.http import HttpResponse
from django.test import Client

from panel import sign_on
from panel.sign_on import SignOn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what its library says about its own future
    import oidc_provider_mock

GROUPS = "sre=all:operator; payments=payments:viewer; payments-admins=payments:admin"


class Provider:
    """`settings` makes the panel use it."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url, self._session = url, session

    def knows(self, sub: str, **claims: Any) -> None:
        """From now on this person has these claims."""
        self._session.put(f"{self.url}/users/{sub}", json=claims, timeout=10).raise_for_status()

    def answer(self, asked: str, **typed: str) -> str:
        """What the provider sends the browser back to, after somebody typed this into its page at `asked`."""
        response = self._session.post(asked, data=typed, allow_redirects=False, timeout=10)
        assert response.status_code == 302, response.text[:500]
        return response.headers["Location"]


@contextmanager
def running() -> Iterator[Provider]:
    with oidc_provider_mock.run_server_in_thread() as server, requests.Session() as session:
        yield Provider(f"http://localhost:{server.server_port}", session)


def use(settings: Any, url: str, groups: str = GROUPS, **more: Any) -> SignOn:
    """Have the panel sign people in there."""
    single = SignOn(
        name="Example ID",
        issuer=url,
        client_id="panel",
        client_secret="secret",
        scopes=("openid", "profile", "email"),
        groups_claim="groups",
        grants=sign_on.grants(groups),
        **more,
    )
    settings.PANEL_SIGN_ON, settings.SOCIALACCOUNT_PROVIDERS = single, sign_on.providers(single)
    return single


def begin(client: Client, single: SignOn, **query: str) -> str:
    """Follow the link on the login page; where it leads at the provider."""
    response = client.get(f"/accounts/oidc/{single.provider_id}/login/", query)
    assert response.status_code == 302, response.content.decode()[:2000]
    return response["Location"]


def come_back(client: Client, to: str) -> HttpResponse:
    address = urlsplit(to)
    return client.get(address.path, {name: values[0] for name, values in parse_qs(address.query).items()})  # type: ignore[return-value]
