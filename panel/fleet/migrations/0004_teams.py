import django.db.models.deletion
from django.db import migrations, models


def own(apps, schema_editor):
    """Applications from before there were teams belong to the default one."""
    team = apps.get_model("accounts", "Team").objects.get_or_create(slug="default", defaults={"name": "Default"})[0]
    apps.get_model("fleet", "Application").objects.filter(team=None).update(team=team)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("fleet", "0003_samples")]
    operations = [
        migrations.AddField(
            "application",
            "team",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="applications", to="accounts.team"
            ),
        ),
        migrations.RunPython(own, migrations.RunPython.noop),
        migrations.AlterField(
            "application",
            "team",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="applications", to="accounts.team"
            ),
        ),
    ]
