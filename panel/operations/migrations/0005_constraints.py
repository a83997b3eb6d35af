from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('operations', '0004_mend_impossible_rows'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='hold_ends_after_it_began'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='hold_has_reason'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('weight_ecs', None), ('weight_lambda', None)), models.Q(('weight_ecs__isnull', False), ('weight_lambda__isnull', False), models.Q(('weight_lambda__gt', 0), ('weight_ecs__gt', 0), _connector='OR')), _connector='OR'), name='operation_weights_both_or_neither'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at', None), ('status__in', ('queued', 'running', 'waiting'))), models.Q(('finished_at__isnull', False), ('status__in', ('succeeded', 'failed', 'cancelled', 'superseded'))), _connector='OR'), name='operation_finished_when_ended'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='operation_has_reason'),
        ),
    ]
