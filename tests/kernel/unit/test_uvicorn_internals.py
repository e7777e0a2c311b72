"""What `HttpProtocol` and `DrainingServer` use of uvicorn and httptools without a promise.

A failure here says what an upgrade has changed; `pyproject.toml` bounds both to the minor version
that was tried.
"""

import inspect
from importlib.metadata import version

import httptools
import pytest
from fastapi import FastAPI
from uvicorn import Server
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.server.http_protocol import HttpProtocol
from tests.kernel.integration.service import PROJECT, settings_for


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (HttpToolsProtocol, "connection_made", ["transport"]),
        (HttpToolsProtocol, "connection_lost", ["exc"]),
        (HttpToolsProtocol, "data_received", ["data"]),
        (HttpToolsProtocol, "on_message_begin", []),
        (HttpToolsProtocol, "on_url", ["url"]),
        (HttpToolsProtocol, "on_headers_complete", []),
        (HttpToolsProtocol, "on_body", ["body"]),
        (HttpToolsProtocol, "on_message_complete", []),
        (HttpToolsProtocol, "on_response_complete", []),
        (HttpToolsProtocol, "_start_asgi_task", ["cycle", "app"]),
        (FlowControl, "__init__", ["transport"]),
        (FlowControl, "pause_reading", []),
        (FlowControl, "resume_reading", []),
        (RequestResponseCycle, "run_asgi", ["app"]),
        (Server, "startup", ["sockets"]),
        (Server, "shutdown", ["sockets"]),
        (Server, "_log_started_message", ["listeners"]),
    ],
)
def test_a_method_is_still_there(owner: type, name: str, parameters: list[str]) -> None:
    method = getattr(owner, name, None)
    assert method is not None, f"uvicorn's {owner.__name__}.{name} is gone"
    found = list(inspect.signature(method).parameters)[1:]
    assert found == parameters, f"uvicorn's {owner.__name__}.{name} takes other parameters"


async def test_the_protocol_still_has_these_attributes() -> None:
    config = ServerConfig(settings_for("memory://"), FastAPI)
    protocol = HttpProtocol(config, ServerState(), app_state={})
    for name in ("parser", "cycle", "flow", "transport", "tasks", "server_state", "headers"):
        assert hasattr(protocol, name), f"uvicorn's protocol has no {name} any more"
    protocol.on_message_begin()
    assert protocol.scope["type"] == "http", "uvicorn makes the scope somewhere else"


def test_a_cycle_still_says_how_far_its_response_is() -> None:
    source = inspect.getsource(RequestResponseCycle)
    for name in (
        "response_started",
        "response_complete",
        "disconnected",
        "keep_alive",
        "message_event",
        "waiting_for_100_continue",
    ):
        assert f"self.{name}" in source, f"uvicorn's RequestResponseCycle has no {name} any more"
    assert "self.flow.resume_reading()" in inspect.getsource(RequestResponseCycle.receive), (
        "uvicorn no longer resumes reading when the app reads, where body limits are decided"
    )


async def test_uvicorn_still_starts_without_sockets() -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        raise NotImplementedError  # no lifespan either

    config = ServerConfig(settings_for("memory://"), lambda: app)
    config.load()
    server = Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[])
    assert server.started, "uvicorn does not start without sockets any more"
    assert server.servers == [], "uvicorn listens by itself"


def test_the_parser_still_ends_a_request_at_a_strict_line_end_only() -> None:
    """`HttpProtocol` cuts what it receives where a request ends, at CRLF CRLF."""
    begun: list[bytes] = []

    class Callbacks:
        def on_url(self, url: bytes) -> None:
            begun.append(url)

    for lenient_end in (b"\n\n", b"\r\n\n", b"\n\r\n"):
        parser = httptools.HttpRequestParser(Callbacks())
        with pytest.raises(httptools.HttpParserError):
            parser.feed_data(
                b"GET /1 HTTP/1.1\r\nHost: test" + lenient_end + b"GET /2 HTTP/1.1\r\n"
            )
        assert begun.pop() == b"/1", "httptools takes another line end than CRLF"


@pytest.mark.parametrize("name", ["uvicorn", "httptools"])
def test_the_installed_version_is_the_one_that_was_tried(name: str) -> None:
    declared = (PROJECT / "pyproject.toml").read_text()
    major, minor, *_ = version(name).split(".")
    assert f'"{name}>={major}.{minor},<{major}.{int(minor) + 1}"' in declared
