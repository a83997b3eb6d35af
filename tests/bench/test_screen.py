"""How the benchmark of the screen tells when a page showed a change."""

from __future__ import annotations

from bench.screen import delays


def seen(at: float, desired: int = 0, healthy: int = 0, ecs: int = 0) -> dict[str, float]:
    return {"at": at, "desired": desired, "healthy": healthy, "ecs": ecs}


def test_a_change_is_shown_when_the_page_has_it_or_what_came_after() -> None:
    truth = [seen(0), seen(10, desired=2), seen(20, desired=2, healthy=1), seen(21, desired=2, healthy=2)]
    page = [seen(0), seen(10.5, desired=2), seen(21.4, desired=2, healthy=2)]

    assert [round(each, 1) for each in delays(truth, page)] == [0.5, 1.4, 0.4]


def test_what_the_page_never_showed_is_endless() -> None:
    assert delays([seen(0), seen(10, ecs=100)], [seen(0), seen(12, ecs=50)]) == [float("inf")]
