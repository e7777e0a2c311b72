"""What the figures were taken on."""

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "fastapi",
    "sqlalchemy",
    "asyncpg",
    "aiosqlite",
    "uvicorn",
    "uvloop",
    "litestar",
    "advanced-alchemy",
)


def processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def description() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores of {processor()}, {platform.system()}, Python {platform.python_version()}"
    )


def packages() -> str:
    """Return the versions of those that are installed."""
    versions = []
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            versions.append(f"{name} {version(name)}")
    return ", ".join(versions)
