from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "panel.operations"
    default_auto_field = "django.db.models.BigAutoField"
