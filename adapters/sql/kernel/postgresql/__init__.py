"""PostgreSQL, by asyncpg: the engine, connecting, and the way of a statement."""
