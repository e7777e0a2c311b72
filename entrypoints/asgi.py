"""The app for another server than that of `python -m entrypoints`:

uvicorn --factory entrypoints.asgi:app
gunicorn -k uvicorn_worker.UvicornWorker 'entrypoints.asgi:app()'
"""

from fastapi import FastAPI

from entrypoints.http.app import create_app
from entrypoints.kernel.app_start import app_for_any_server
from entrypoints.settings import AppSettings


def app() -> FastAPI:
    """Return the app as the environment sets it. Ends the process with one line in the log if it
    cannot be made."""
    return app_for_any_server(AppSettings, create_app)
