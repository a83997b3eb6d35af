"""The database's own refusal to change or delete an entry, whoever asks.

One gate is left open: an entry may be deleted once a later entry says so by its `deleted_to`. Such a checkpoint stays
in the chain, so whoever goes through the gate leaves a mark that can't be forged without the panel's key.

A migration that rebuilds the table on SQLite must `create` the triggers anew: a rebuilt table has none.
"""

from __future__ import annotations

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CHANGED = "An audit entry is never changed: record another one instead."
DELETED = "An audit entry is deleted only after a checkpoint stands for it, which the sweep of PANEL_AUDIT_DAYS leaves."

SQLITE = {
    "audit_entry_changed": f"""
        BEFORE UPDATE ON audit_entry BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END""",
    "audit_entry_deleted": f"""
        BEFORE DELETE ON audit_entry
        WHEN NOT EXISTS (SELECT 1 FROM audit_entry WHERE deleted_to >= OLD.id AND id > OLD.id)
        BEGIN SELECT RAISE(ABORT, '{DELETED}'); END""",  # noqa: S608 # nosec B608 # made of the constants above
    # INSERT OR REPLACE deletes what it meets without telling the trigger for deletions.
    "audit_entry_replaced": f"""
        BEFORE INSERT ON audit_entry
        WHEN EXISTS (
            SELECT 1 FROM audit_entry
            WHERE id = NEW.id OR hash = NEW.hash OR previous_hash = NEW.previous_hash
        )
        BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END""",  # noqa: S608 # nosec B608 # the same
}

POSTGRESQL = f"""
CREATE FUNCTION audit_entry_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = '{CHANGED}';
END $$;
CREATE FUNCTION audit_entry_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM audit_entry WHERE deleted_to >= OLD.id AND id > OLD.id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = '{DELETED}';
END $$;
CREATE TRIGGER audit_entry_changed BEFORE UPDATE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_changed();
CREATE TRIGGER audit_entry_deleted BEFORE DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_deleted();
CREATE TRIGGER audit_entry_emptied BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_deleted();
"""  # noqa: S608 # nosec B608 # made of the constants above


def create(editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(POSTGRESQL, None)
        return
    for name, body in SQLITE.items():
        editor.execute(f"CREATE TRIGGER {name} {body}")


def drop(editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP FUNCTION IF EXISTS audit_entry_changed, audit_entry_deleted CASCADE")
        return
    for name in SQLITE:
        editor.execute(f"DROP TRIGGER IF EXISTS {name}")
