"""The HTTP server: uvicorn, with limits, draining and workers."""
