"""How the application's ports are kept: in memory, and in a SQL database."""
