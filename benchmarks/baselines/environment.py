"""The settings of a baseline: the same variables as the service's."""

from os import environ

HOST = environ.get("APP_HOST", "127.0.0.1")
PORT = int(environ.get("APP_PORT", "8000"))
DATABASE_URL = environ.get("APP_DATABASE_URL", "sqlite+aiosqlite:///baseline.sqlite3")
POOL_SIZE = int(environ.get("APP_DATABASE_POOL_SIZE", "10"))
