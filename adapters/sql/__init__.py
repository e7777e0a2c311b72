"""The storage in a SQL database: SQLite by aiosqlite, PostgreSQL by asyncpg.

Read it in this order: the folder of an aggregate, unit_of_work.py, then in the kernel
versioned_rows.py, unit_of_work.py, execution/database.py and the folder of a database.
"""
