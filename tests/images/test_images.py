"""The images' start commands, read from Dockerfile and compose file, run as the images would run them."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bench.postgresql import Postgresql
from panel.__main__ import PARTS
from stack.ports import free_ports
from tests.images.image import ROOT, Container, Image, Stage, laid_out, stages
from tests.images.test_compose import SERVICES

PANEL, LAB = stages(ROOT / "Dockerfile")["panel"], stages(ROOT / "Dockerfile")["lab"]
API = stages(ROOT / "api_service" / "Dockerfile")[""]
NOBODY = "http://127.0.0.1:1"  # an AWS that refuses every connection


def get(port: int, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.startswith(b"{") else text.decode()
    finally:
        connection.close()


def test_the_dockerfiles_end_with_the_panel_and_the_api() -> None:
    assert stages(ROOT / "Dockerfile")[""] == PANEL
    assert PANEL.command == tuple(SERVICES["web"]["command"])
    assert LAB.command == tuple(SERVICES["lab"]["command"])
    assert API.command == ("python", "-m", "api_service")


@pytest.mark.parametrize("stage", [PANEL, LAB, API], ids=["panel", "lab", "api"])
def test_an_image_has_a_user_by_number_and_a_pinned_base(stage: Stage) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", stage.user)
    assert stage.image == "python:${PYTHON}"


@pytest.mark.parametrize("path", ["Dockerfile", "api_service/Dockerfile"])
def test_a_dockerfile_pins_its_base_and_installs_with_hashes_from_no_named_host(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(r"^ARG PYTHON=\d+\.\d+\.\d+-[a-z-]+$", text, re.MULTILINE)
    installs = [line for line in re.sub(r"\\\n", " ", text).split("&&") if re.search(r"\bpip install\b", line)]
    assert installs
    assert all("--require-hashes" in line for line in installs)
    assert "://" not in text


def test_what_is_copied_is_let_through_to_the_builder() -> None:
    let_through = {
        line[1:].rstrip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    every = [*stages(ROOT / "Dockerfile").values(), *stages(ROOT / "api_service" / "Dockerfile").values()]
    assert {name.split("/")[0] for stage in every for name in stage.copied} <= let_through


@pytest.fixture(scope="module")
def api_image() -> Iterator[Image]:
    with laid_out(API, "api-container.txt") as image:
        yield image


@pytest.mark.full
def test_the_apis_container_answers_and_ends_in_order(api_image: Image) -> None:
    [port] = free_ports(1)
    with api_image.running("api", API.command, {"PORT": str(port)}) as container:
        container.wait_until_healthy(API.health)
        assert get(port, "/env") == (200, {"message": "server"})
        assert get(port, "/bang") == (200, {"message": "boom"})
        assert container.end() == 0
        assert not container.is_healthy(API.health)


@pytest.fixture(scope="module")
def panel_image() -> Iterator[Image]:
    with laid_out(PANEL, "runtime.txt") as image:
        yield image


def variables(image: Image, database: str, broker: str, **more: str) -> dict[str, str]:
    """What compose gives the panel's services, with the addresses of this test."""
    given = {name: value for name, value in SERVICES["web"]["environment"].items() if value is not None}
    here = {
        "PANEL_SECRET_KEY_FILE": image.secret("secret_key", "for-tests-only-" * 4),
        "DATABASE_URL_FILE": image.secret("database_url", database),
        "REDIS_URL": broker,
        "PANEL_BASE_URL": "http://127.0.0.1:8000",
        "AWS_ENDPOINT_URL": NOBODY,
    }
    assert set(given) <= set(here)
    return {**here, **more}


def started(stack: ExitStack, image: Image, env: dict[str, str], ports: dict[str, int]) -> dict[str, Container]:
    """Every part of the panel by compose's own commands, each once the one before is healthy."""
    containers = {}
    for part in PARTS:
        own = {**env, "PORT": str(ports[part])} if part in ports else env
        containers[part] = stack.enter_context(image.running(part, SERVICES[part]["command"], own))
        containers[part].wait_until_healthy(SERVICES[part]["healthcheck"]["test"][1:])
    return containers


@pytest.mark.full
@pytest.mark.timeout(300)
def test_the_panels_containers_serve_and_are_healthy(
    panel_image: Image, postgresql: Postgresql, valkey_server: str
) -> None:
    env = variables(panel_image, postgresql.url, valkey_server)
    web, live = free_ports(2)
    migrated = panel_image.run(SERVICES["migrate"]["command"], env)
    assert migrated.returncode == 0, migrated.stderr[-2000:]
    with ExitStack() as stack:
        containers = started(stack, panel_image, env, {"web": web, "live": live})
        assert get(web, "/healthz") == (200, {"status": "ok"})
        status, ready = get(web, "/readyz")
        assert (status, ready["status"]) == (200, "ready"), ready
        assert get(web, "/accounts/login/")[0] == 200
        assert get(web, "/static/panel/panel.css")[0] == 200
        assert get(live, "/live/") == (401, "Log in to the panel first.")
        for part, container in reversed(containers.items()):
            assert container.end() in (0, -15), f"{part}: {container.said()}"
        assert not containers["web"].is_healthy(SERVICES["web"]["healthcheck"]["test"][1:])


@pytest.mark.full
@pytest.mark.parametrize("missing", ["PANEL_SECRET_KEY", "DATABASE_URL"])
def test_a_part_without_what_it_needs_ends_with_a_sentence(panel_image: Image, missing: str) -> None:
    env = variables(panel_image, "postgres://panel:nobody@127.0.0.1:1/panel", NOBODY.replace("http", "redis"))
    ended = panel_image.run(SERVICES["beat"]["command"], {**env, f"{missing}_FILE": ""})
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{missing} is not set")
    assert "Traceback" not in ended.stderr


@pytest.mark.full
@pytest.mark.timeout(300)
def test_the_lab_and_the_panel_come_to_know_each_other(tmp_path: Path, valkey_server: str) -> None:
    with laid_out(LAB, "lab.txt") as image, ExitStack() as stack:
        port, web = free_ports(2)
        state = image.tmp / "state"
        here = {"0.0.0.0": "127.0.0.1", "4566": str(port), "/state": str(state)}
        here["http://web:8000/webhooks/eventbridge"] = f"http://127.0.0.1:{web}/webhooks/eventbridge"
        lab = stack.enter_context(image.running("lab", [here.get(word, word) for word in LAB.command], {}))
        check = [word.replace("4566", str(port)) for word in SERVICES["lab"]["healthcheck"]["test"][1:]]
        lab.wait_until_healthy(check)
        env = variables(image, f"sqlite:///{image.tmp / 'panel.sqlite3'}", valkey_server)
        assert image.run(SERVICES["migrate"]["command"], env).returncode == 0
        panel = stack.enter_context(image.running("web", SERVICES["web"]["command"], {**env, "PORT": str(web)}))
        panel.wait_until_healthy([*SERVICES["web"]["healthcheck"]["test"][1:]])
        command = [here.get(word, word) for word in SERVICES["lab-setup"]["command"]]
        for _ in range(2):  # as often as the lab is started
            introduced = image.run(command, env)
            assert introduced.returncode == 0, introduced.stderr[-2000:]
            assert "The panel knows 3 applications of the lab" in introduced.stdout
        assert get(port, "/_lab/view")[0] == 200
        assert lab.end() == 0
