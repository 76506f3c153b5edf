"""Alembic, run through Flask-Migrate: the app's own database and metadata, one transaction a run on both databases."""

from alembic import context
from flask import current_app
from sqlalchemy import types

from app.db import Encrypted, UtcDateTime

database = current_app.extensions["migrate"].db


def is_ours(thing, name, type_, reflected, compare_to):
    """Tables this program does not know (an operator's own) are none of our business: never drop them."""
    return not (type_ == "table" and reflected and compare_to is None)


def render_item(type_, thing, autogen_context):
    """Migrations say what is stored, not which class reads it, so that they still run when the class is gone."""
    if type_ == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if type_ == "type" and isinstance(thing, Encrypted):
        return "sa.LargeBinary()"
    return False


def compare_type(context_, inspected_column, metadata_column, inspected_type, metadata_type):
    """SQLite forgets DateTime's zone and BIGINT's width; only a change of kind counts there."""
    if context_.dialect.name == "sqlite" and isinstance(metadata_type, (types.TypeDecorator, types.BigInteger)):
        return False
    return None


with database.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        include_object=is_ours,
        render_item=render_item,
        compare_type=compare_type,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
