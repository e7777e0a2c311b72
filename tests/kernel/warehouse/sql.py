from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

from adapters.sql.kernel.column_types import Id, text_column, versioned_columns
from adapters.sql.kernel.execution.database import Database
from adapters.sql.kernel.idempotency_records import idempotency_records
from adapters.sql.kernel.metadata import NAMING_CONVENTION
from adapters.sql.kernel.unit_of_work import SqlReadingUnit, SqlWritingUnit
from adapters.sql.kernel.versioned_rows import SqlReader, SqlRepository, VersionedRows
from application.kernel.errors import DataConflict
from tests.kernel.warehouse.domain import DESCRIPTION, NAME, SKU, Delivery, Product, Supplier

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
suppliers = Table("suppliers", metadata, *versioned_columns(), *text_column("name", NAME))
deliveries = Table(
    "deliveries",
    metadata,
    *versioned_columns(),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), nullable=False, index=True),
    Column("quantity", Integer, nullable=False),
)
PRODUCT_ROWS = VersionedRows(
    products, Product, violations={"uq_products_sku": lambda it: DataConflict(f"SKU {it.sku}")}
)
SUPPLIERS = VersionedRows(suppliers, Supplier)
DELIVERIES = VersionedRows(deliveries, Delivery)


class SqlProductReader(SqlReader[Product]):
    rows = PRODUCT_ROWS


class SqlProducts(SqlRepository[Product]):
    rows = PRODUCT_ROWS


class SqlSupplierReader(SqlReader[Supplier]):
    rows = SUPPLIERS


class SqlSuppliers(SqlRepository[Supplier]):
    rows = SUPPLIERS


class SqlDeliveryReader(SqlReader[Delivery]):
    rows = DELIVERIES


class SqlDeliveries(SqlRepository[Delivery]):
    rows = DELIVERIES


class SqlReadingUnitOfWork(SqlReadingUnit):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.products = SqlProductReader(database)
        self.suppliers = SqlSupplierReader(database)
        self.deliveries = SqlDeliveryReader(database)


class SqlUnitOfWork(SqlWritingUnit):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.products = SqlProducts(self)
        self.suppliers = SqlSuppliers(self)
        self.deliveries = SqlDeliveries(self)
