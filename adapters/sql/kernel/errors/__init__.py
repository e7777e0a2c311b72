"""Translate the drivers' errors into the application's."""
