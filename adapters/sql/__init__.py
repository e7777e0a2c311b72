"""The storage in a SQL database: SQLite by aiosqlite, PostgreSQL by asyncpg.

Read it in this order: tables, example_item_repository, unit_of_work, database, then postgresql or
sqlite.
"""
