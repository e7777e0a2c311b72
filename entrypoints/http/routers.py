"""The routers of the app: one line for each aggregate."""

from entrypoints.http.example_items.routes import router as example_items

ROUTERS = (example_items,)
