"""Migrations by Alembic: run and write them, and find the position of a schema."""
