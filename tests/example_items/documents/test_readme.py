"""The README's console sessions, typed into a shell while the service runs."""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kernel.processes.service_process import ServiceProcess

README = Path(__file__).parents[3] / "README.md"
ADDRESS = "localhost:8000"
SESSION = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)
DIFFERS_FROM_RUN_TO_RUN = {
    "id": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    "request id": r"\b[0-9a-f]{32}\b",
    "time": r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "cursor": r"(?<=cursor=)[\w=-]+",
}
# Two responses may have the same one or not: it has no part of a second.
DATE = re.compile(r"(?<=date: )\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
# On a terminal curl shows no progress, and needs no proxy to this machine.
AS_ON_A_TERMINAL = 'curl() { command curl --silent --show-error --noproxy "*" "$@"; }'


def _has_curl_and_bash() -> bool:
    """Return whether there is a bash, and a curl that knows `--json`: 7.82 or newer."""
    curl = shutil.which("curl")
    if not curl or not shutil.which("bash"):
        return False
    printed = subprocess.run([curl, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"curl (\d+)\.(\d+)", printed.stdout)
    return version is not None and tuple(map(int, version.groups())) >= (7, 82)


@pytest.mark.skipif(not _has_curl_and_bash(), reason="no bash, or no curl 7.82 or newer")
async def test_the_service_responds_as_the_readme_shows() -> None:
    shown = "".join(SESSION.findall(README.read_text("utf-8")))

    async with ServiceProcess(arguments=("-m", "entrypoints")) as service:
        typed = await _type(COMMAND.findall(shown), f"{service.host}:{service.port}")

    assert _generalised(typed) == _generalised(shown)


async def _type(commands: list[str], address: str) -> str:
    """Return what a terminal shows when the commands are typed into one shell."""
    script = [AS_ON_A_TERMINAL]
    for command in commands:
        script += [f"printf '\\n$ %s\\n' {shlex.quote(command)}", command.replace(ADDRESS, address)]
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-euc",
        "\n".join(script),
        # No .curlrc of the user who runs the tests.
        env={**os.environ, "CURL_HOME": os.devnull},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await shell.communicate()
    return output.decode()


def _generalised(session: str) -> str:
    """Return the session with a name for each value that no two runs share.

    A value has one name throughout: an id must come back where it came back before.
    """
    session = re.sub(r"\n+(?=\$ |$)", "\n", session.replace("\r", "")).strip()
    session = DATE.sub("<date>", session)
    for kind, pattern in DIFFERS_FROM_RUN_TO_RUN.items():
        values = dict.fromkeys(re.findall(pattern, session))
        for number, value in enumerate(values, start=1):
            session = session.replace(value, f"<{kind} {number}>")
    return session
