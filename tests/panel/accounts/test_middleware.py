from __future__ import annotations

import pytest
from django.test import Client

PAGES = ["/", "/applications/checkout/", "/operations/", "/operations/1/", "/operations/1/cancel/", "/events/"]
PAGES += ["/refusals/", "/applications/checkout/failover/", "/applications/checkout/weights/"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_needs_a_login_and_comes_back(client: Client, db: None, path: str) -> None:
    assert client.get(path).url == f"/accounts/login/?next={path}"  # type: ignore[attr-defined]
    assert client.post(path).status_code in (302, 405)


def test_a_refresh_without_a_login_sends_the_whole_page_there(client: Client, db: None) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://panel.example/operations/?page=2"}

    response = client.get("/operations/?page=2", headers=headers)

    assert response.status_code == 401
    assert response["HX-Redirect"] == "/accounts/login/?next=/operations/%3Fpage%3D2"


def test_a_dialog_without_a_login_leads_back_to_the_page_below_it(client: Client, db: None) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://panel.example/applications/checkout/"}

    response = client.get("/applications/checkout/failover/", headers=headers)

    assert response["HX-Redirect"] == "/accounts/login/?next=/applications/checkout/"
