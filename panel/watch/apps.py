from celery.signals import task_postrun
from django.apps import AppConfig
from django.core.signals import request_finished


class WatchConfig(AppConfig):
    name = "panel.watch"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from failover.aws import calls  # noqa: PLC0415 - models can't be imported before
        from panel.watch import aws_calls, tally  # noqa: PLC0415

        calls.tell(aws_calls.heard)
        # Once the answer is sent, and once the task is done: nobody waits for a count.
        request_finished.connect(tally.flush_now_and_then)
        task_postrun.connect(tally.flush_now_and_then)
