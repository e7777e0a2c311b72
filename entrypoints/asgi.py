"""The app for a server other than that of `python -m entrypoints`:

uvicorn --factory entrypoints.asgi:app
gunicorn -k uvicorn_worker.UvicornWorker 'entrypoints.asgi:app()'
"""

from fastapi import FastAPI

from entrypoints.http.app import create_app
from entrypoints.kernel.app_start import app_for_any_server
from entrypoints.settings import AppSettings


def app() -> FastAPI:
    """Return the app with the settings from the environment. If they are invalid, log one line and
    end the process."""
    return app_for_any_server(AppSettings, create_app)
