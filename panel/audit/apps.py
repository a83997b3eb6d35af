from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "panel.audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from panel.audit import logins  # noqa: PLC0415 - signals are connected once the models are there

        logins.connect()
