from asyncio import Event, sleep
from random import Random
from typing import Any

from tests.kernel.faults.keep_alive_client import Response
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.soak.account import UNEXPECTED, WRONG_READ, Account
from tests.kernel.soak.client import Client
from tests.kernel.soak.ledger import Item, Ledger

WEIGHTS = {"create": 25, "get": 15, "list": 10, "patch": 20, "put": 15, "delete": 15}
MOST_ITEMS = 100
FIRST_PAGE = f"{PRODUCTS}/?limit=20"
# Between its requests a connection is idle, as most are most of the time.
MOST_THOUGHT_SECONDS = 0.02
KEY = "soak"
"""How each Idempotency-Key begins."""


class Worker:
    """One client: it creates, reads and changes items, and records the responses."""

    def __init__(self, number: int, client: Client, account: Account, chance: Random) -> None:
        self.ledger = Ledger()
        self._number = number
        self._client = client
        self._account = account
        self._chance = chance
        self._words = 0
        self._page = FIRST_PAGE
        self._after = ""

    async def run(self, over: Event) -> None:
        while not over.is_set():
            await self._do_something()
            await sleep(self._chance.uniform(0, MOST_THOUGHT_SECONDS))
        await self._client.close()

    async def _do_something(self) -> None:
        (what,) = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
        items = list(self.ledger.items.values())
        if what == "list":
            await self._list()
        elif not items or (what == "create" and len(items) < MOST_ITEMS):
            await self._create()
        elif what == "get":
            await self._get(self._chance.choice(items))
        elif what in {"put", "patch"}:
            await self._rename(self._chance.choice(items), what.upper())
        else:
            await self._delete(self._chance.choice(items))

    async def _create(self) -> None:
        name, description = self._new_words("item"), self._new_words("made")
        content = {"name": name, "description": description}
        if response := await self._change("POST", PRODUCTS, 201, content, about=name):
            item = Item.of(response.json())
            self._keep(item, Item(item.id, name, description, 1))

    async def _rename(self, item: Item, method: str) -> None:
        name, description = self._new_words("item"), item.description
        content = {"name": name}
        if method == "PUT":
            description = content["description"] = self._new_words("replaced")
        match = {"If-Match": f'"{item.version}"'}
        if response := await self._change(method, _address(item), 200, content, item.id, **match):
            expected = Item(item.id, name, description, item.version + 1)
            self._keep(Item.of(response.json()), expected)

    async def _delete(self, item: Item) -> None:
        match = {"If-Match": f'"{item.version}"'}
        if await self._change("DELETE", _address(item), 204, None, item.id, **match):
            self.ledger.remove(item)

    async def _get(self, item: Item) -> None:
        if response := await self._send("GET", _address(item), 200):
            shown = Item.of(response.json())
            if shown != item:
                self._account.count(WRONG_READ, f"expected {item}, got {shown}")

    async def _list(self) -> None:
        """Read the next page of the list: all clients' items, its own among them."""
        response = await self._send("GET", self._page, 200)
        if not response:
            return
        page = [Item.of(document) for document in response.json()]
        link = response.headers.get("link", "")
        if wrong := self.ledger.misread(page, self._after, is_last=not link):
            self._account.count(WRONG_READ, f"{self._page}: {wrong}")
        self._page = link[1 : link.index(">")] if link else FIRST_PAGE
        self._after = page[-1].id if link else ""

    async def _change(
        self, method: str, path: str, status: int, content: Any, about: str, **headers: str
    ) -> Response | None:
        """Return the response if it is as it should be; else what it was about is in doubt."""
        headers["Idempotency-Key"] = self._new_words(KEY)
        response = await self._send(method, path, status, content, **headers)
        if not response:
            self.ledger.doubt(about)
            return None
        self._account.count("changes")
        self._account.changed.set()
        if "idempotency-replayed" in response.headers:
            self._account.count("replayed responses")
        return response

    async def _send(
        self, method: str, path: str, status: int, content: Any = None, **headers: str
    ) -> Response | None:
        """Return the response if it has the status that it must have."""
        response = await self._client.send(method, path, content, **headers)
        if response and response.status != status:
            self._account.count(UNEXPECTED, f"{method} {path} {headers}: {response}")
            return None
        return response

    def _keep(self, shown: Item, expected: Item) -> None:
        if shown != expected:
            self._account.count(UNEXPECTED, f"expected {expected}, got {shown}")
        self.ledger.keep(expected)

    def _new_words(self, about: str) -> str:
        self._words += 1
        return f"{about}-{self._number}-{self._words}"


def _address(item: Item) -> str:
    return f"{PRODUCTS}/{item.id}"
