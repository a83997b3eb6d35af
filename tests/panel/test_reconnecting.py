"""A worker whose every place is held by what it could not acknowledge connects anew; one that works does not."""

from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state
from kombu.transport.virtual import QoS

from panel.reconnecting import Reconnecting, is_stuck


def consumer(delivered: int, places: int = 2) -> Any:
    qos = QoS(SimpleNamespace(do_restore=False), prefetch_count=places)
    qos._delivered.update({str(number): None for number in range(delivered)})
    return SimpleNamespace(task_consumer=SimpleNamespace(channel=SimpleNamespace(qos=qos)))


@pytest.mark.parametrize(("delivered", "stuck"), [(0, False), (1, False), (2, True), (3, True)])
def test_it_is_stuck_where_nothing_runs_and_every_place_is_held(delivered: int, stuck: bool) -> None:
    assert is_stuck(consumer(delivered)) is stuck


def test_whoever_works_is_not_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "reserved_requests", [object()])
    assert not is_stuck(consumer(2))


def test_before_it_consumes_it_is_not_stuck() -> None:
    assert not is_stuck(SimpleNamespace(task_consumer=None))


def test_what_holds_every_place_is_a_lost_connection() -> None:
    told: list[Any] = []
    timer = SimpleNamespace(call_repeatedly=lambda _, look, given: told.append((look, given)))
    parent = consumer(2)
    parent.timer = timer
    Reconnecting(parent).start(parent)
    [(look, given)] = told
    with pytest.raises(ConnectionResetError):
        look(*given)
