"""An entity becomes the JSON that pydantic makes of it, whatever the model."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Annotated, Any
from uuid import UUID

import pytest
from asyncpg.pgproto import pgproto
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, computed_field, field_serializer

from entrypoints.http.kernel.resources import representation
from entrypoints.http.kernel.resources.representation import to_json, to_json_array

ID = UUID("0199b7c2-1f3a-7b5e-8d21-3c4d5e6f7081")
TIME = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
DAY = date(2026, 1, 2)


class State(Enum):
    NEW = "new"


@dataclass(frozen=True)
class Line:
    text: str
    secret: str = "secret"


@dataclass(frozen=True)
class Entity:
    id: Any = ID
    text: str = "lamp"
    number: int = 7
    flag: bool = True
    nothing: str | None = None
    time: datetime = TIME
    day: date = DAY
    price: Decimal = Decimal("1.50")
    ratio: float = 0.1
    duration: timedelta = timedelta(minutes=1)
    state: State = State.NEW
    content: bytes = b"x"
    lines: list[Line] = field(default_factory=lambda: [Line("one")])


class LineRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    text: str


class Plain(BaseModel):
    text: str
    number: int
    flag: bool
    nothing: str | None
    time: datetime
    day: date


class AllTypes(Plain):
    price: Decimal
    ratio: float
    duration: timedelta
    state: State
    content: bytes
    lines: list[LineRead]


class Computed(BaseModel):
    text: str
    number: int

    @computed_field
    def twice(self) -> int:
        return 2 * self.number


class Serialized(BaseModel):
    text: str
    number: int

    @field_serializer("text")
    def upper(self, text: str) -> str:
        return text.upper()


class Aliased(BaseModel):
    text: str = Field(serialization_alias="Text")
    number: int


class Excluded(BaseModel):
    text: str = Field(exclude=True)
    number: int


class Bounded(BaseModel):
    text: Annotated[str, Field(min_length=1)]
    number: int


class One(BaseModel):
    text: str


MODELS = [Plain, AllTypes, Computed, Serialized, Aliased, Excluded, Bounded, One]


def by_pydantic(entities: list[Any], model: type[BaseModel]) -> Any:
    models = [model.model_validate(each, from_attributes=True) for each in entities]
    return json.loads(TypeAdapter(list[model]).dump_json(models, by_alias=True))  # type: ignore[valid-type]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text": '\u2028\x00\U0001f4a1"<'},
        {"number": 2**70},
        {"number": -(2**63)},
        {"time": TIME.replace(microsecond=0)},
        {"time": TIME.astimezone(timezone(timedelta(hours=9)))},
        {"time": TIME.replace(tzinfo=None)},
        {"time": datetime.min.replace(tzinfo=UTC)},
        {"ratio": float("inf")},
    ],
)
def test_it_is_what_pydantic_makes(model: type[BaseModel], changes: dict[str, Any]) -> None:
    entity = Entity(**changes)

    assert json.loads(to_json(entity, model)) == by_pydantic([entity], model)[0]
    assert json.loads(to_json_array([entity, Entity()], model)) == by_pydantic(
        [entity, Entity()], model
    )


def test_an_empty_list_is_an_empty_array() -> None:
    assert to_json_array([], Plain) == b"[]"


def test_a_driver_s_own_uuid_is_a_uuid() -> None:
    @dataclass(frozen=True)
    class WithId:
        id: UUID
        text: str

    class WithIdRead(BaseModel):
        id: UUID
        text: str

    found = json.loads(to_json(WithId(pgproto.UUID(str(ID)), "lamp"), WithIdRead))

    assert found == {"id": str(ID), "text": "lamp"}


def test_what_an_entity_has_besides_its_fields_is_not_sent() -> None:
    @dataclass(frozen=True)
    class Remembering:
        text: str
        number: int

        @cached_property
        def secret(self) -> str:
            return "secret"

    entity = Remembering("lamp", 7)
    assert entity.secret in vars(entity).values()

    assert json.loads(to_json(entity, Computed)) == {"text": "lamp", "number": 7, "twice": 14}

    class Read(BaseModel):
        text: str
        number: int

    assert json.loads(to_json(entity, Read)) == {"text": "lamp", "number": 7}


def test_a_plain_model_does_not_take_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plain, "model_validate", None)

    assert json.loads(to_json(Entity(), Plain))["text"] == "lamp"
    assert representation._fields_of.cache_info().hits
