"""All use cases where no framework can be imported:
`python -m tests.kernel.unit.use_cases_without_frameworks`."""

import asyncio
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NoReturn

FRAMEWORKS = {
    "aiosqlite",
    "asyncpg",
    "fastapi",
    "greenlet",
    "pydantic",
    "pydantic_core",
    "sqlalchemy",
    "starlette",
    "structlog",
}


class FrameworkBlock(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in FRAMEWORKS:
            reject(fullname)
        return None


def reject(name: str) -> NoReturn:
    message = f"{name} is a framework"
    raise ImportError(message)


async def use_everything() -> None:
    from adapters.memory.kernel.unit_of_work import MemoryUnitsOfWork
    from application.kernel.errors import NotFound
    from tests.kernel.counting_ids import CountingIds
    from tests.kernel.fixed_clock import FixedClock
    from tests.kernel.warehouse.application import ProductService
    from tests.kernel.warehouse.memory import MemoryUnitOfWork

    service = ProductService(MemoryUnitsOfWork(MemoryUnitOfWork), FixedClock(), CountingIds())
    created = await service.create("lamp", None)
    assert await service.get(created.id) == created
    changed = await service.change(created.id, name="chair")
    replaced = await service.change(
        created.id, [changed.version], name="table", description="To sit at."
    )
    assert (await service.page(None, 10)).items == [replaced]
    await service.delete(created.id)
    try:
        await service.get(created.id)
    except NotFound:
        print("all use cases done")


if __name__ == "__main__":
    sys.meta_path.insert(0, FrameworkBlock())
    asyncio.run(use_everything())
    assert not FRAMEWORKS & sys.modules.keys()
