"""SQLite, by aiosqlite: the engine, the batches of writes, and the way of a statement."""
