import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.kernel.processes.process_tree import is_running
from tests.kernel.processes.service_process import ServiceProcess

STUB = """
import http.server, json, os, sys

if os.environ.get("APP_BROKEN"):
    sys.exit("a setting is wrong")

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/health/live", "/environment") else 404)
        self.end_headers()
        settings = {k: v for k, v in os.environ.items() if k.startswith("APP_")}
        self.wfile.write(json.dumps(settings).encode())

    def log_message(self, *arguments):
        print(json.dumps({"path": self.path}), flush=True)

print("starting", flush=True)
address = os.environ["APP_HOST"], int(os.environ["APP_PORT"])
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """A directory in which `python -m tests.kernel.warehouse` is a small stand-in for it."""
    package = tmp_path / "tests" / "kernel" / "warehouse"
    package.mkdir(parents=True)
    for each in (package, package.parent, package.parent.parent):
        (each / "__init__.py").touch()
    (package / "__main__.py").write_text(STUB)
    return tmp_path


async def test_is_alive_once_started(stub: Path) -> None:
    async with ServiceProcess(cwd=stub) as service, httpx.AsyncClient() as client:
        response = await client.get(f"{service.base_url}/health/live")

    assert response.status_code == httpx.codes.OK


async def test_gets_its_own_settings_and_no_others(
    stub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_LEFT_OVER", "yes")
    async with (
        ServiceProcess({"APP_COLOUR": "blue"}, cwd=stub) as service,
        httpx.AsyncClient() as client,
    ):
        settings = (await client.get(f"{service.base_url}/environment")).json()

    assert settings == {
        "APP_COLOUR": "blue",
        "APP_HOST": "127.0.0.1",
        "APP_PORT": str(service.port),
    }


async def test_log_can_be_read_after_the_end(stub: Path) -> None:
    async with ServiceProcess(cwd=stub) as service:
        pass

    assert service.log.startswith("starting\n")
    assert {"path": "/health/live"} in service.log_lines()
    assert "starting" in service.log_lines()


async def test_error_at_start_shows_the_log(stub: Path) -> None:
    with pytest.raises(RuntimeError, match="a setting is wrong"):
        async with ServiceProcess({"APP_BROKEN": "1"}, cwd=stub):
            pass


async def test_rejection_to_start_has_an_exit_code(stub: Path) -> None:
    service = ServiceProcess({"APP_BROKEN": "1"}, cwd=stub)
    service.launch()

    assert await service.wait() == 1
    await service.close()


@pytest.mark.parametrize(
    ("end", "number"),
    [(ServiceProcess.terminate, signal.SIGTERM), (ServiceProcess.kill, signal.SIGKILL)],
)
async def test_exit_code_names_the_signal(
    end: Callable[[ServiceProcess], None], number: signal.Signals, stub: Path
) -> None:
    async with ServiceProcess(cwd=stub) as service:
        end(service)

        assert await service.wait() == -number


async def test_closes_even_when_halted(stub: Path) -> None:
    async with ServiceProcess(cwd=stub) as service:
        service.signal(signal.SIGSTOP)

    assert not is_running(service.pid)


async def test_shows_what_it_holds(stub: Path) -> None:
    async with ServiceProcess(cwd=stub) as service:
        assert 1_000_000 < service.memory_bytes() < 1_000_000_000
        assert any(name.startswith("socket:") for name in service.open_files())


async def test_wait_is_bounded(stub: Path) -> None:
    async with ServiceProcess(cwd=stub) as service:
        with pytest.raises(TimeoutError, match="still runs"):
            await service.wait(timeout=0.1)
