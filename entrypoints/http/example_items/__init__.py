"""Example items over HTTP."""
