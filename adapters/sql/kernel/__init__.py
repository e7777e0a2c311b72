"""How statements reach SQLite and PostgreSQL. Kept: a team does not edit it."""
