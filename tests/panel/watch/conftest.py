from tests.panel.ingest.conftest import deliver

__all__ = ["deliver"]
