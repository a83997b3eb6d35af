from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "panel.ingest"
    default_auto_field = "django.db.models.BigAutoField"
