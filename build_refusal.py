"""What `pip install .` finds: this project is an application, and is not installed."""

raise SystemExit(
    "This is an application, not a package to install. In a clone of it, `make run` installs its "
    "dependencies into .venv and starts it; see README.md."
)
