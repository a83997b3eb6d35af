"""Events on their way to a controller: by HTTP, one after the other."""

import json
import threading
import urllib.request

from bench.events import received


def send(url: str, event: dict) -> int:
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(event).encode()), timeout=5) as answer:
        return answer.status


def test_events_are_accepted_at_once_and_handed_on_in_order_one_at_a_time():
    seen, running, free = [], threading.Semaphore(1), threading.Event()
    done = threading.Event()

    def handle(event):
        assert running.acquire(blocking=False), "another one is being handled"
        free.wait(5)
        seen.append(event["id"])
        running.release()
        if len(seen) == 3:
            done.set()

    with received(handle, None, 0) as url:
        assert [send(url, {"id": number}) for number in range(3)] == [202, 202, 202]
        assert seen == []
        free.set()
        assert done.wait(5)
    assert seen == [0, 1, 2]


def test_where_no_event_comes_the_schedule_does():
    came = threading.Event()

    def handle(event):
        assert event == {"detail-type": "Scheduled Event"}
        came.set()

    with received(handle, {"detail-type": "Scheduled Event"}, 0.05):
        assert came.wait(5)
