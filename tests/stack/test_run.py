"""What `make run` decides before it starts anything."""

import stat
from pathlib import Path

import pytest

from stack.ports import free_ports
from stack.run import PanelPlan, plan_panel
from stack.settings import SettingsError

SECRET = "x" * 50
WORKERS = ("worker-steps", "worker-events", "worker-observe", "worker-outbound")


def names(plan: PanelPlan) -> list[str]:
    return [part.name for part in plan.parts]


def test_nothing_given_it_brings_broker_database_and_secret(tmp_path: Path) -> None:
    plan = plan_panel({}, tmp_path)
    assert names(plan) == ["broker", "web", "live", *WORKERS, "beat"]
    assert plan.env["DATABASE_URL"] == f"sqlite:///{tmp_path}/panel.sqlite3"
    assert plan.env["REDIS_URL"].startswith("redis://127.0.0.1:")
    assert len(Path(plan.env["PANEL_SECRET_KEY_FILE"]).read_text()) >= 50


def test_the_secret_is_for_its_owner_only_and_stays_the_same(tmp_path: Path) -> None:
    first = Path(plan_panel({}, tmp_path).env["PANEL_SECRET_KEY_FILE"])
    secret = first.read_text()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert Path(plan_panel({}, tmp_path).env["PANEL_SECRET_KEY_FILE"]).read_text() == secret


@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_what_is_given_is_left_alone(tmp_path: Path, suffix: str) -> None:
    given = {f"{name}{suffix}": SECRET for name in ("REDIS_URL", "DATABASE_URL", "PANEL_SECRET_KEY")}
    plan = plan_panel(given, tmp_path)
    assert names(plan) == ["web", "live", *WORKERS, "beat"]
    assert set(plan.env) == {"PORT"}


def test_every_part_learns_the_ports_and_serves_loopback(tmp_path: Path) -> None:
    [port] = free_ports(1)
    plan = plan_panel({"PORT": str(port)}, tmp_path)
    parts = {part.name: part for part in plan.parts}
    assert f"127.0.0.1:{port}" in parts["web"].argv
    assert plan.url == f"http://127.0.0.1:{port}"
    live_port = parts["live"].argv[parts["live"].argv.index("--port") + 1]
    for name in ("web", "live", *WORKERS, "beat"):
        assert (parts[name].env["PORT"], parts[name].env["PANEL_LIVE_PORT"]) == (str(port), live_port)


def test_other_addresses_need_a_secret_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"HOST is '0\.0\.0\.0'.*set PANEL_SECRET_KEY"):
        plan_panel({"HOST": "0.0.0.0"}, tmp_path)
    plan = plan_panel({"HOST": "0.0.0.0", "PANEL_SECRET_KEY": SECRET}, tmp_path)
    [web] = [part for part in plan.parts if part.name == "web"]
    assert any(argument.startswith("0.0.0.0:") for argument in web.argv)


def test_more_variables_reach_every_part_and_command(tmp_path: Path) -> None:
    plan = plan_panel({}, tmp_path).with_env({"AWS_REGION": "eu-west-1"})
    assert all(part.env["AWS_REGION"] == "eu-west-1" for part in plan.parts)
    assert plan.env["AWS_REGION"] == "eu-west-1"
    assert "DATABASE_URL" in plan.env


def test_every_queue_has_its_worker(tmp_path: Path) -> None:
    plan = plan_panel({}, tmp_path)
    served = [part.argv[part.argv.index("--queues") + 1] for part in plan.parts if part.name in WORKERS]
    assert served == ["steps,panel", "events", "observe", "probes,notify"]
