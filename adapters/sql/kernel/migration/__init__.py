"""Migrations, by Alembic: running and writing them, and where a schema is."""
