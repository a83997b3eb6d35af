"""The arithmetic of docs/costs.md, which is that of infra/prices.toml."""

from pathlib import Path

import pytest

from infra import costs

DOCUMENT = (Path(__file__).parents[2] / "docs" / "costs.md").read_text(encoding="utf-8")


def test_the_document_has_what_the_prices_make():
    assert costs.markdown(costs.Usage(), costs.prices()) in DOCUMENT


def test_the_document_says_of_when_and_where_the_prices_are():
    price = costs.prices()
    assert f"of {price['region']} **as assumed on {price['date']}**" in DOCUMENT


def test_fargate_is_paid_by_tasks_and_hours():
    usage = costs.Usage(hours_on_ecs=10, tasks=2, task_vcpu=1, task_gb=2)
    item = costs.protecting(usage, costs.prices() | {"fargate_vcpu_hour": 0.04, "fargate_gb_hour": 0.005})[0]
    assert item.dollars == pytest.approx(10 * 2 * (1 * 0.04 + 2 * 0.005))


def test_without_a_failover_ecs_costs_nothing():
    assert costs.protecting(costs.Usage(hours_on_ecs=0), costs.prices())[0].dollars == 0


def test_another_usage_is_another_table(capsys):
    assert costs.main(["--set", "tasks=6"]) == 0
    assert "8 h · 6 ·" in capsys.readouterr().out


@pytest.mark.parametrize("given", ["nothing=1", "tasks=many"])
def test_what_is_no_usage_is_said(given, capsys):
    with pytest.raises(SystemExit) as ended:
        costs.main(["--set", given])
    assert ended.value.code == 2
    assert given.partition("=")[0] in capsys.readouterr().err
