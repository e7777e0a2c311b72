from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

from adapters.sql.kernel.column_types import Id, text_column, versioned_columns
from adapters.sql.kernel.execution.database import Database
from adapters.sql.kernel.idempotency_records import idempotency_records
from adapters.sql.kernel.metadata import NAMING_CONVENTION
from adapters.sql.kernel.unit_of_work import SqlReadingUnit, SqlWritingUnit
from adapters.sql.kernel.versioned_rows import SqlReader, SqlRepository, VersionedRows
from application.kernel.errors import DataConflict
from tests.kernel.warehouse.domain import DESCRIPTION, NAME, SKU, Movement, Product

metadata = MetaData(naming_convention=NAMING_CONVENTION)
idempotency_records.to_metadata(metadata)

products = Table(
    "products",
    metadata,
    *versioned_columns(),
    *text_column("name", NAME),
    *text_column("description", DESCRIPTION, nullable=True),
    *text_column("sku", SKU, nullable=True, unique=True),
    sqlite_with_rowid=False,
)
movements = Table(
    "movements",
    metadata,
    *versioned_columns(),
    Column("product_id", Id, ForeignKey("products.id"), nullable=False, index=True),
    Column("quantity", Integer, nullable=False),
)
PRODUCTS = VersionedRows(
    products, Product, refused={"uq_products_sku": lambda it: DataConflict(f"SKU {it.sku}")}
)
MOVEMENTS = VersionedRows(movements, Movement)


class SqlProductReader(SqlReader[Product]):
    rows = PRODUCTS


class SqlProducts(SqlRepository[Product]):
    rows = PRODUCTS


class SqlMovementReader(SqlReader[Movement]):
    rows = MOVEMENTS


class SqlMovements(SqlRepository[Movement]):
    rows = MOVEMENTS


class SqlReadingUnitOfWork(SqlReadingUnit):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.products = SqlProductReader(database)
        self.movements = SqlMovementReader(database)


class SqlUnitOfWork(SqlWritingUnit):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.products = SqlProducts(self)
        self.movements = SqlMovements(self)
