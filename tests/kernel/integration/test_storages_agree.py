"""Memory, SQLite and PostgreSQL respond alike to the same random requests: status, headers, body.

Guards that the adapters implement their ports alike, in any order of requests. Without the check of
the version in an SQL update, or without the order of the pages, it fails.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.kernel.integration.random_requests import (
    CONDITIONS,
    ITEM_BODIES,
    KEYS,
    PAGES,
    PATCH_BODIES,
    UNKNOWN_IDS,
    VALID_BODIES,
)
from tests.kernel.integration.same_app_on_each_storage import (
    Request,
    Response,
    SameAppOnEachStorage,
)
from tests.kernel.integration.service import JSON, PRODUCTS

CHANGES = st.sampled_from(["PUT", "PATCH"])
LITTLE_TIMES = st.timedeltas(timedelta(seconds=-2), timedelta(seconds=2))
TIMES = LITTLE_TIMES | st.just(timedelta(hours=25))

Run = Callable[[Coroutine[Any, Any, Any]], Any]


class Storages(RuleBasedStateMachine):
    """Each rule is one request, or several at the same time."""

    items = Bundle("items")
    next_pages = Bundle("next_pages")

    def __init__(self, apps: SameAppOnEachStorage, run: Run) -> None:
        super().__init__()
        self._apps = apps
        self._run = run
        self._versions: dict[str, int] = {}
        self._races = count(1)
        run(apps.begin_anew())

    @rule(target=items, body=ITEM_BODIES, key=KEYS)
    def create(self, body: bytes, key: str | None) -> Any:
        (response,) = self._same(_change("POST", PRODUCTS, body, None, key))
        return self._created(response)

    @rule(target=items, bodies=st.lists(VALID_BODIES, min_size=2, max_size=5))
    def create_several_at_once(self, bodies: list[bytes]) -> Any:
        responses = self._same(*(_change("POST", PRODUCTS, body) for body in bodies))
        return multiple(*(self._created(response) for response in responses))

    @rule(item=items, condition=CONDITIONS)
    def get(self, item: str, condition: str | None) -> None:
        field = self._condition(item, condition)
        headers = {"If-None-Match": field} if field is not None else {}
        self._same(Request("GET", item, headers=headers))

    @rule(method=CHANGES, item=items, body=PATCH_BODIES, condition=CONDITIONS, key=KEYS)
    def change(
        self, method: str, item: str, body: bytes, condition: str | None, key: str | None
    ) -> None:
        field = self._condition(item, condition)
        (response,) = self._same(_change(method, item, body, field, key))
        self._note(item, response)

    @rule(item=items, condition=CONDITIONS, key=KEYS)
    def delete(self, item: str, condition: str | None, key: str | None) -> None:
        self._same(_change("DELETE", item, None, self._condition(item, condition), key))

    @rule(method=st.sampled_from(["GET", "PUT", "PATCH", "DELETE"]), unknown=UNKNOWN_IDS)
    def meet_nothing(self, method: str, unknown: str) -> None:
        body = b'{"name": "lamp"}' if method.startswith("P") else None
        self._same(_change(method, f"{PRODUCTS}/{unknown}", body))

    @rule(target=next_pages, path=PAGES)
    def list_items(self, path: str) -> Any:
        return self._page(path)

    @rule(target=next_pages, path=consumes(next_pages))
    def list_the_next_items(self, path: str) -> Any:
        return self._page(path)

    @rule(
        chosen=st.lists(items, min_size=2, max_size=5, unique=True),
        body=VALID_BODIES,
        methods=st.lists(
            st.sampled_from(["GET", "PUT", "PATCH", "DELETE"]), min_size=5, max_size=5
        ),
    )
    def touch_different_items_at_once(
        self, chosen: list[str], body: bytes, methods: list[str]
    ) -> None:
        requests = [
            _change(method, item, body if method.startswith("P") else None)
            for method, item in zip(methods, chosen, strict=False)
        ]
        for item, response in zip(chosen, self._same(*requests), strict=True):
            self._note(item, response)

    @rule(item=items, methods=st.lists(CHANGES, min_size=2, max_size=5))
    def race_to_change_one_version(self, item: str, methods: list[str]) -> None:
        field = self._condition(item, '"{version}"')
        requests = [
            _change(method, item, b'{"name": "racer %d"}' % number, field)
            for number, method in enumerate(methods)
        ]
        responses = self._run(self._apps.send(*requests))
        outcomes = {name: _statuses(raced) for name, raced in responses.items()}
        first, *others = outcomes.values()
        assert all(other == first for other in others), outcomes
        assert first in ({200: 1, 412: len(methods) - 1}, {412: len(methods)}, {404: len(methods)})
        self._settle(item)

    @rule(item=items, number=st.integers(2, 5))
    def race_to_delete(self, item: str, number: int) -> None:
        responses = self._run(self._apps.send(*[_change("DELETE", item, None)] * number))
        # A request that read before the winner committed gets a 409, a later one a 404.
        won = {name: _statuses(raced)[204] for name, raced in responses.items()}
        assert len(set(won.values())) == 1, won
        assert all(set(_statuses(raced)) <= {204, 404, 409} for raced in responses.values())
        (gone,) = self._same(Request("GET", item))
        assert gone.status == 404

    @rule(item=items, number=st.integers(2, 5))
    def race_with_one_key(self, item: str, number: int) -> None:
        request = _change("PUT", item, b'{"name": "once"}', None, f"race-{next(self._races)}")
        responses = self._run(self._apps.send(*[request] * number))
        for raced in responses.values():
            # A request that comes while the first is in progress gets a 409, else the response of
            # the first.
            statuses = _statuses(raced)
            made = [each for each in raced if each.status == 200 and not _is_replayed(each)]
            assert set(statuses) <= ({200, 409} if made else {404, 409}), statuses
            assert len(made) == 1 or statuses[404] > 0, statuses
        (response,) = self._same(request)
        assert _is_replayed(response) or response.status == 404
        self._note(item, response)

    @rule(time=TIMES)
    def let_time_pass(self, time: timedelta) -> None:
        self._apps.let_time_pass(time)

    def teardown(self) -> None:
        self._same(Request("GET", f"{PRODUCTS}?limit=200"))

    def _same(self, *requests: Request) -> list[Response]:
        responses: list[Response] = self._run(self._apps.same(*requests))
        assert all(response.status < 500 for response in responses), responses
        return responses

    def _settle(self, item: str) -> None:
        """After a race, whose winner is free, make the item the same everywhere."""
        (response,) = self._same(_change("PUT", item, b'{"name": "settled"}'))
        self._note(item, response)

    def _created(self, response: Response) -> Any:
        if response.status != 201:
            return multiple()
        item = response.headers["location"]
        self._note(item, response)
        return item

    def _note(self, item: str, response: Response) -> None:
        if response.status in {200, 201}:
            self._versions[item] = json.loads(response.body)["version"]

    def _condition(self, item: str, condition: str | None) -> str | None:
        return condition and condition.replace("{version}", str(self._versions[item]))

    def _page(self, path: str) -> Any:
        (response,) = self._same(Request("GET", path))
        link = response.headers.get("link")
        return link[1 : link.index(">")] if link else multiple()


def _change(
    method: str,
    path: str,
    body: bytes | None,
    if_match: str | None = None,
    key: str | None = None,
) -> Request:
    fields = {"If-Match": if_match, "Idempotency-Key": key}
    headers = {name: value for name, value in fields.items() if value is not None}
    return Request(method, path, body, headers if body is None else {**JSON, **headers})


def _statuses(responses: list[Response]) -> Counter[int]:
    return Counter(response.status for response in responses)


def _is_replayed(response: Response) -> bool:
    return "idempotency-replayed" in response.headers


@pytest.fixture
def run() -> Iterator[Run]:
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def apps(run: Run, postgresql_url: str, tmp_path: Path) -> Iterator[SameAppOnEachStorage]:
    apps = SameAppOnEachStorage(
        {
            "memory": "memory://",
            "SQLite": f"sqlite+aiosqlite:///{tmp_path / 'test.db'}",
            "PostgreSQL": postgresql_url,
        }
    )
    run(apps.__aenter__())
    yield apps
    run(apps.__aexit__())


def storages(apps: SameAppOnEachStorage, run: Run) -> type[Storages]:
    """Return the machine with its apps, as hypothesis makes one for each run."""

    class WithApps(Storages):
        def __init__(self) -> None:
            super().__init__(apps, run)

    return WithApps


QUICK = settings(
    max_examples=8,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    # To make a failing run smaller would take longer than a test may.
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_storages_respond_alike_to_the_same_requests(apps: SameAppOnEachStorage, run: Run) -> None:
    run_state_machine_as_test(storages(apps, run), settings=QUICK)


@pytest.mark.slow
def test_storages_respond_alike_to_many_more_requests(apps: SameAppOnEachStorage, run: Run) -> None:
    many = settings(QUICK, max_examples=30, derandomize=False, print_blob=True)
    run_state_machine_as_test(storages(apps, run), settings=many)
