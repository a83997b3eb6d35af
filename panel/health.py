"""`/healthz`: the process lives. `/readyz`: everything that it needs does."""

from __future__ import annotations

from django.db import Error
from django.http import HttpRequest, JsonResponse

from panel import broker
from panel.fleet import heartbeats

Parts = dict[str, dict[str, object]]


def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when all parts are well, else 503; each part is named with `ok`, and a heartbeat with its age in seconds."""
    parts: Parts = {"broker": {"ok": broker.answers()}, **_database_and_beats()}
    ready = all(part["ok"] for part in parts.values())
    answer = JsonResponse({"status": "ready" if ready else "not ready", "parts": parts}, status=200 if ready else 503)
    # Whoever waits for readiness asks several times a second: the answer is no error of the panel's.
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own mark, read by its logger
    return answer


def _database_and_beats() -> Parts:
    try:
        beats = heartbeats.read()
    except Error:
        return {"database": {"ok": False}}
    parts: Parts = {"database": {"ok": True}}
    for name in (heartbeats.WORKER, heartbeats.BEAT):
        parts[name] = {"ok": beats[name].ok, "age_seconds": beats[name].age_seconds}
    return parts
