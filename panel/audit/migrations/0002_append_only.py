from django.db import migrations

from panel.audit import triggers


def create(apps, schema_editor):
    triggers.create(schema_editor)


def drop(apps, schema_editor):
    triggers.drop(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_entries_and_tallies")]

    operations = [migrations.RunPython(create, drop)]
