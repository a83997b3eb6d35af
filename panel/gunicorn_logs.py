"""Gunicorn's own lines through the panel's one formatter: `gunicorn --logger-class panel.gunicorn_logs.Logger`."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger as Own

from panel import environment, logs


class Logger(Own):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's, without handlers of its own. Requests are told by `panel.requests`, so there is no access log."""

    def setup(self, _configuration: Any) -> None:
        logs.configure(readable=environment.read().debug)
        for own in (self.error_log, self.access_log):
            own.handlers.clear()
            own.propagate = True
        self.error_log.setLevel("INFO")
        self.access_log.setLevel("WARNING")
