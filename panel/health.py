"""`/healthz`: the process lives. `/readyz`: everything that it needs does."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from panel.watch import readiness
from panel.watch.readiness import Part


def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when all parts that count are well, else 503; each part is named with `ok`, and where it is not, why."""
    parts = readiness.parts()
    ready = all(part.ok for part in parts.values() if part.counts)
    body = {"status": "ready" if ready else "not ready", "parts": {name: _shown(part) for name, part in parts.items()}}
    answer = JsonResponse(body, status=200 if ready else 503)
    # Whoever waits for readiness asks several times a second: the answer is no error of the panel's.
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own mark, read by its logger
    return answer


def _shown(part: Part) -> dict[str, object]:
    age = None if part.age_seconds is None else round(part.age_seconds, 1)
    shown = {"ok": part.ok, "problem": part.problem or None, "age_seconds": age}
    return {name: value for name, value in shown.items() if value is not None}
