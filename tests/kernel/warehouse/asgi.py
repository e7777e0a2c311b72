"""The warehouse's app for another server, as `entrypoints.asgi` is the project's."""

from fastapi import FastAPI

from entrypoints.kernel.app_start import app_for_any_server
from entrypoints.kernel.service_settings import ServiceSettings
from tests.kernel.warehouse.app import create_app


def app() -> FastAPI:
    return app_for_any_server(ServiceSettings, create_app)
