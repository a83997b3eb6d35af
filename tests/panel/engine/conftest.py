"""An engine without parts: each test starts those that it needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from panel.celery import app
from panel.fleet.models import Application
from tests.panel.engine.harness import Engine


@pytest.fixture
def engine(
    transactional_db: None, application: Application, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    running = Engine.of(application, tmp_path, key)
    url = f"redis://127.0.0.1:{running.broker.port}/0"
    monkeypatch.setattr(settings, "REDIS_URL", url)
    monkeypatch.setattr(app.conf, "broker_url", url)
    try:
        yield running
    finally:
        running.end()
