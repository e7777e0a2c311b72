"""What routes take by `Depends`."""

from entrypoints.http.kernel.database_session import get_async_session, get_async_sessionmaker
from entrypoints.http.kernel.middleware.authentication import ClientName, client_name
from entrypoints.http.kernel.provided import provided

__all__ = [
    "ClientName",
    "client_name",
    "get_async_session",
    "get_async_sessionmaker",
    "provided",
]
