import asyncio
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Protocol

from tests.kernel.faults.postgresql_service import migrated_server
from tests.kernel.faults.running import all_items
from tests.kernel.processes.guardian import Guardian
from tests.kernel.soak.account import LEAKED, NOT_RECOVERED, UNEXPECTED, Account
from tests.kernel.soak.client import Client
from tests.kernel.soak.faults import Fault, common_faults
from tests.kernel.soak.ledger import Item, differences
from tests.kernel.soak.lives import Lives
from tests.kernel.soak.plan import QUIET_SECONDS, Plan
from tests.kernel.soak.postgresql import behind_proxy
from tests.kernel.soak.quiet import burst, left_over, settled_files
from tests.kernel.soak.sqlite import SqliteFile
from tests.kernel.soak.worker import Worker

FAULT_SECONDS = (0.5, 6.0)
SHARE_OF_INTERVAL = 0.8
RECOVERY_SECONDS = 20.0


class Database(Protocol):
    url: str

    def faults(self) -> Mapping[str, Fault]: ...

    async def leaks(self) -> list[str]: ...


def run(plan: Plan) -> Account:
    """Carry the plan out. Whatever it starts ends with it, also when this process is killed."""
    directory = Path(tempfile.mkdtemp(prefix="soak-"))
    with Guardian(directory):
        if plan.database == "sqlite":
            return asyncio.run(soak(plan, SqliteFile(directory / "soak.db"), directory))
        with migrated_server() as server:

            async def on_postgresql() -> Account:
                async with behind_proxy(server, Random(plan.seed)) as database:
                    return await soak(plan, database, directory)

            return asyncio.run(on_postgresql())


async def soak(plan: Plan, database: Database, directory: Path) -> Account:
    account = Account()
    async with Lives(database.url, directory, account) as lives:
        for wrong in await burst(lives):
            account.count(LEAKED, wrong)
        files = await settled_files(lives)
        workers = await _load(plan, database, lives, account)
        account.say("the load has ended")
        for wrong in [
            *await burst(lives),
            *await left_over(lives, database.leaks, files),
        ]:
            account.count(LEAKED, wrong)
        stored = [Item.of(document) for document in await all_items(lives.service)]
        account.counts["items stored"] = len(stored)
        for what, where in differences([worker.ledger for worker in workers], stored):
            account.count(what, where)
        await lives.terminate()
    return account


async def _load(plan: Plan, database: Database, lives: Lives, account: Account) -> list[Worker]:
    over = asyncio.Event()
    workers = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(lives.sample_memory(over))
        for number in range(plan.clients):
            chance = Random(f"{plan.seed} {number}")
            client = Client(lives, account, chance, over)
            workers.append(Worker(number, client, account, chance))
            tasks.create_task(workers[-1].run(over))
        common = common_faults(lives, account, Random(plan.seed))
        await _disturb(plan, {**database.faults(), **common}, account, Random(plan.seed))
        over.set()
    return workers


async def _disturb(
    plan: Plan, faults: Mapping[str, Fault], account: Account, chance: Random
) -> None:
    """Put one fault after the other in force; each kind comes once before any comes again."""
    shortest, longest = FAULT_SECONDS
    longest = min(longest, max(shortest, plan.every * SHARE_OF_INTERVAL))
    began = time.monotonic()
    end = began + plan.seconds
    names: list[str] = []
    while True:
        seconds = chance.uniform(shortest, longest)
        begin = max(time.monotonic(), began + plan.every)
        if begin + seconds + QUIET_SECONDS > end:
            break
        await asyncio.sleep(begin - time.monotonic())
        names = names or chance.sample(sorted(faults), len(faults))
        name = names.pop()
        account.say(f"{name}, for {seconds:.1f} s")
        account.count("faults")
        began = time.monotonic()
        try:
            await faults[name](seconds)
        except OSError as error:  # such as a connection refused by a service that is gone
            account.count(UNEXPECTED, f"{name}: {error!r}")
        await _recover(name, account)
    await asyncio.sleep(max(QUIET_SECONDS, end - time.monotonic()))


async def _recover(name: str, account: Account) -> None:
    ended = time.monotonic()
    account.changed.clear()
    try:
        async with asyncio.timeout(RECOVERY_SECONDS):
            await account.changed.wait()
    except TimeoutError:
        account.count(NOT_RECOVERED, name)
    account.recoveries[name].append(time.monotonic() - ended)
    account.say(f"{name}: over, and {time.monotonic() - ended:.2f} s later a change succeeds")
