from datetime import timedelta

from django.db import migrations
from django.db.models import F, Q
from django.db.models.functions import Coalesce

ACTIVE = ('queued', 'running', 'waiting')


def mend(apps, schema_editor):
    """Rows that an earlier version could have stored, and that the next migration's constraints forbid."""
    Operation, Hold = apps.get_model('operations', 'Operation'), apps.get_model('operations', 'Hold')
    active = Q(status__in=ACTIVE)
    operations, holds = Operation.objects.order_by(), Hold.objects.order_by()
    operations.filter(~active, finished_at=None).update(finished_at=Coalesce('started_at', 'created_at'))
    operations.filter(active).exclude(finished_at=None).update(finished_at=None)
    operations.filter(weight_ecs=None).update(weight_lambda=None)
    operations.filter(weight_lambda=None).update(weight_ecs=None)
    operations.filter(weight_lambda=0, weight_ecs=0).update(weight_lambda=None, weight_ecs=None)
    operations.filter(reason='').update(reason='No reason was given.')
    holds.filter(reason='').update(reason='No reason was given.')
    holds.filter(expires_at__lte=F('created_at')).update(expires_at=F('created_at') + timedelta(seconds=1))


class Migration(migrations.Migration):

    dependencies = [
        ('operations', '0003_keys_links_and_brakes'),
    ]

    operations = [
        migrations.RunPython(mend, migrations.RunPython.noop),
    ]
