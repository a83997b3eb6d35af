"""The snapshot's long columns become the last ones in SQLite, which finds a column only by reading those before it:
the fleet's page reads the short ones of every application. PostgreSQL keeps long values elsewhere.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def write_anew(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor._remake_table(apps.get_model("fleet", "StoredSnapshot"))  # noqa: SLF001 - what AlterField does


class Migration(migrations.Migration):
    dependencies = [("fleet", "0007_stored_snapshot_outline")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="storedsnapshot", name="brief"),
                migrations.AddField(
                    model_name="storedsnapshot",
                    name="brief",
                    field=models.JSONField(null=True, help_text="the body without most of its metrics"),
                ),
                migrations.RemoveField(model_name="storedsnapshot", name="body"),
                migrations.AddField(model_name="storedsnapshot", name="body", field=models.JSONField()),
            ],
        ),
        migrations.RunPython(write_anew, migrations.RunPython.noop),
    ]
