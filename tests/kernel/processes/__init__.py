"""Real processes for tests: a PostgreSQL server, a faulty network, the service itself."""
