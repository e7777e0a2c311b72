"""Example items in a SQL database."""
