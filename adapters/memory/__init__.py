"""The storage as plain values in this process: for tests, and to run without a database."""
