"""The service as an HTTP API."""
