"""Send statements to SQLite and PostgreSQL. Kernel code: a team does not edit it."""
