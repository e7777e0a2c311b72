"""Forms and files, as FastAPI documents them; a wrong one is the client's error."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, File, Form, UploadFile

from tests.kernel.integration.problem_document import errors_of, problem_of
from tests.kernel.integration.service import client_of, settings_for
from tests.kernel.warehouse.app import create_app

FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"
NAME = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nlamp\r\n'
UPLOAD = b'--x\r\nContent-Disposition: form-data; name="upload"; filename="f"\r\n\r\n%b\r\n'
END = b"--x--\r\n"
WRONG = [
    (FORM, b"name=a&" * 1_001),
    (PARTS, b"no parts"),
    (PARTS, b"--x\r\n\r\nwithout a name\r\n" + END),
    (PARTS, b"--x\r\nContent-Disposition: \xff\r\n\r\n\r\n" + END),
    (PARTS, b"--x\r\nno header\r\n\r\n\r\n" + END),
    (PARTS, NAME * 1_001 + END),
    ("multipart/form-data", NAME + END),
    ("multipart/form-data; boundary=" + "x" * 5_000, NAME + END),
    ("multipart/form-data; boundary=x; charset=idna", NAME.replace(b"lamp", b"xn--a.\xff..") + END),
]


@pytest.fixture
def app() -> FastAPI:
    app = create_app(settings_for("memory://"))

    @app.post("/form")
    async def form(
        name: Annotated[str, Form(max_length=10)], count: Annotated[int, Form()] = 1
    ) -> dict[str, Any]:
        return {"name": name, "count": count}

    @app.post("/files")
    async def files(
        upload: UploadFile,
        name: Annotated[str, Form()] = "-",
        more: Annotated[list[bytes] | None, File()] = None,
    ) -> dict[str, Any]:
        return {"name": name, "size": len(await upload.read()), "more": len(more or [])}

    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


async def test_forms_and_files_are_read(client: httpx.AsyncClient) -> None:
    form = await client.post("/form", data={"name": "lamp", "count": "2"})
    parts = [("upload", b"12"), ("more", b"1"), ("more", b"2")]
    files = await client.post("/files", data={"name": "lamp"}, files=parts)

    assert form.json() == {"name": "lamp", "count": 2}
    assert files.json() == {"name": "lamp", "size": 2, "more": 2}


async def test_a_wrong_field_is_named(client: httpx.AsyncClient) -> None:
    form = await client.post("/form", data={"name": "x" * 11, "count": "many"})

    assert errors_of(form) == [
        ("body", "#/name", "string_too_long"),
        ("body", "#/count", "int_parsing"),
    ]
    assert errors_of(await client.post("/files", data={"name": "lamp"})) == [
        ("body", "#/upload", "missing")
    ]


@pytest.mark.parametrize("path", ["/form", "/files"])
async def test_a_malformed_form_is_a_bad_request(client: httpx.AsyncClient, path: str) -> None:
    for kind, content in WRONG:
        response = await client.post(path, content=content, headers={"Content-Type": kind})
        problem_of(response, 400, blank=True)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/form", "/files"])
async def test_a_large_form_is_rejected(
    client: httpx.AsyncClient, path: str, *, chunked: bool
) -> None:
    content = UPLOAD % (b"x" * 70_000)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 10_000):
            yield content[start : start + 10_000]

    response = await client.post(
        path, content=pieces() if chunked else content, headers={"Content-Type": PARTS}
    )

    problem_of(response, 413)
