"""The log says why requests fail of the storage, but not once for each of them."""

from types import SimpleNamespace
from typing import Any

import pytest

from application.kernel.errors import OutcomeUnknown, StorageFull, StorageUnavailable
from entrypoints.http.app import create_app
from entrypoints.http.kernel.problems import outage_log as storage_trouble
from tests.integration.failing_units_of_work import FailingUnitsOfWork
from tests.integration.service import ITEMS, client_of, settings_for


def troubles(log_lines: list[Any]) -> list[Any]:
    return [line for line in log_lines if line["event"] == "storage trouble"]


@pytest.mark.parametrize("error", [StorageUnavailable, OutcomeUnknown, StorageFull])
async def test_the_reason_is_told_once_for_many(
    log_lines: list[Any], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    units = FailingUnitsOfWork()
    units.on_commit = error("the disk is on fire")
    clock = SimpleNamespace(monotonic=lambda: 1_000.0)
    monkeypatch.setattr(storage_trouble, "time", clock)
    async with client_of(create_app(settings_for("memory://"), units_of_work=units)) as client:
        for _ in range(10):
            assert (await client.post(ITEMS, json={"name": "lamp"})).status_code >= 503
        (line,) = troubles(log_lines)
        assert (line["reason"], line["requests"]) == ("the disk is on fire", 1)

        clock.monotonic = lambda: 1_000.0 + storage_trouble.SILENT_SECONDS
        await client.post(ITEMS, json={"name": "lamp"})
        assert troubles(log_lines)[1]["requests"] == 10


async def test_what_is_the_client_s_own_fault_is_no_trouble(log_lines: list[Any]) -> None:
    async with client_of(create_app(settings_for("memory://"))) as client:
        assert (await client.get(f"{ITEMS}/nothing")).status_code == 404
    assert not troubles(log_lines)
