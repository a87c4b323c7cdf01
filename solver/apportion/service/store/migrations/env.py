"""What alembic runs: the revisions, in the transaction that `store.migrate` has begun. Elsewhere an import of it does
nothing: only while alembic runs it has a configuration."""

from __future__ import annotations

from alembic import context

from apportion.service.store.schema import metadata

config = getattr(context, "config", None)
if config is not None:
    context.configure(
        connection=config.attributes["connection"],
        target_metadata=metadata,
        transactional_ddl=True,  # SQLite's too: alembic takes it for incapable
    )
    context.run_migrations()
