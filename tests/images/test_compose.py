"""docker-compose.yml: that compose takes it, and what it promises about every service."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from panel import environment, queues
from panel.__main__ import PARTS

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
PANEL = [*PARTS, "migrate"]


def _compose() -> list[str]:
    """The command line of a compose that works; skips where there is none. Reading a file needs no engine."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(command[0])
            and subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0
        ):
            return command
    pytest.skip("There is no `docker compose` here: whether it takes docker-compose.yml is not tried.")


def config(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [*_compose(), *arguments, "config"]
    env = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_compose_takes_it() -> None:
    done = config("--profile", "lab", PANEL_BASE_URL="https://panel.example.com")
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(SERVICES)


def test_compose_takes_the_labs_variables() -> None:
    done = config("--env-file", "deploy/lab.env")
    assert done.returncode == 0, done.stderr
    variables = yaml.safe_load(done.stdout)["services"]["worker-steps"]["environment"]
    assert variables["AWS_ENDPOINT_URL"] == "http://lab:4566"


def test_the_lab_is_started_by_its_profile_alone() -> None:
    assert {name for name, service in SERVICES.items() if service.get("profiles")} == {"lab", "lab-setup"}


def test_without_an_address_it_ends_with_a_sentence() -> None:
    done = config()
    assert done.returncode != 0
    assert "PANEL_BASE_URL is not set: give the address that browsers use" in done.stderr


def test_every_part_of_the_panel_is_a_service_and_there_is_one_beat() -> None:
    assert set(PANEL) <= set(SERVICES)
    assert {name for name in PARTS if name.startswith("worker-")} == {f"worker-{name}" for name in queues.WORKERS}
    assert SERVICES["beat"]["deploy"]["replicas"] == 1


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_has_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), "it must run as a user that is not root, by number"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "privileged" not in service
    assert all(not str(volume).startswith((".", "/")) for volume in service.get("volumes", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_limits_and_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    assert service["pids_limit"] > 0
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["logging"]["options"]["max-size"]
    one_shot = service["restart"] == "no"
    assert one_shot or service["healthcheck"]["test"][0] == "CMD"
    assert one_shot or service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_this_machine_alone(name: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", ["postgres", "valkey", "migrate"])
def test_what_keeps_data_is_reached_from_inside_alone(name: str) -> None:
    assert SERVICES[name]["networks"] == ["inside"]
    assert "ports" not in SERVICES[name]


@pytest.mark.parametrize("name", SERVICES)
def test_images_from_elsewhere_are_pinned_by_version(name: str) -> None:
    image = SERVICES[name]["image"]
    assert image.endswith((":local}", ":local")) or re.search(r":\d+\.\d+(\.\d+)?(-[a-z]+)?$", image)


def test_no_password_is_written_anywhere() -> None:
    text = FILE.read_text(encoding="utf-8") + (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert not re.search(r"(?i)(password|secret|token)[a-z_]*:\s*[\"']?[a-z0-9]+[\"']?$", text, re.MULTILINE)
    for service in SERVICES.values():
        for name, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|DATABASE_URL", name):
                assert value is None or value.startswith("/run/secrets/"), name


def test_every_setting_of_the_panel_can_be_given() -> None:
    """A setting that is not listed would never reach the containers."""
    given = SERVICES["web"]["environment"]
    missing = {name for name in environment.OURS if name not in given and f"{name}_FILE" not in given}
    assert missing == {"PANEL_ALIVE_PATH", "PANEL_DEBUG"}, "list it under x-panel in docker-compose.yml"


def test_the_broker_refuses_rather_than_forgets() -> None:
    command = SERVICES["valkey"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def _made(folder: Path) -> dict[str, str]:
    env = {"PATH": os.environ["PATH"], "SECRETS": str(folder)}
    subprocess.run([ROOT / "deploy" / "secrets"], env=env, check=True, capture_output=True)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_secrets_are_made_once_and_fit_each_other(tmp_path: Path) -> None:
    first, found = (_made(tmp_path / "secrets") for _ in range(2))
    assert found == first
    assert found["database_url"] == f"postgres://panel:{found['database_password']}@postgres:5432/panel"
    assert len(found["secret_key"]) >= 50
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    secrets = yaml.safe_load(FILE.read_text(encoding="utf-8"))["secrets"]
    assert {Path(secret["file"]).name for secret in secrets.values()} == set(found)
