"""Migrations' environment: every room's tables, on the connection that web.migrations hands over."""

from alembic import context

from web.wiring.database_schema import METADATA, include_object, render_item

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    compare_type=True,
    compare_server_default=False,
    include_object=include_object,
    render_item=render_item,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
