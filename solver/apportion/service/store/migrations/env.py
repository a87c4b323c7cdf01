"""What alembic runs: the revisions, in the transaction that `store.migrate` has begun."""

from __future__ import annotations

from alembic import context

from apportion.service.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite's too: alembic takes it for incapable
)
context.run_migrations()
