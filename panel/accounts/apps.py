from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "panel.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from panel.accounts import sessions  # noqa: PLC0415 - signals are connected once the models are there

        sessions.connect()
