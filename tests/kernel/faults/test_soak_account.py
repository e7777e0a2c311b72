"""The soak's account: whatever goes wrong shows in it."""

import pytest

from tests.kernel.soak.account import LEAKED, Account
from tests.kernel.soak.ledger import DUPLICATED, LOST, OWNERLESS, Item, Ledger, differences
from tests.kernel.soak.lives import growth_of

LAMP = Item("1", "lamp", None, 1)
CHAIR = Item("2", "chair", "It has legs.", 3)
TABLE = Item("3", "table", None, 1)


@pytest.fixture
def ledger() -> Ledger:
    """Two items are acknowledged, and the end of a third."""
    ledger = Ledger()
    for item in (LAMP, CHAIR, TABLE):
        ledger.keep(item)
    ledger.remove(TABLE)
    return ledger


def kinds(ledger: Ledger, *stored: Item) -> list[str]:
    return [kind for kind, _ in differences([ledger, Ledger()], stored)]


def test_nothing_is_wrong_with_what_was_acknowledged(ledger: Ledger) -> None:
    assert kinds(ledger, LAMP, CHAIR) == []


@pytest.mark.parametrize(
    "stored",
    [
        [LAMP],
        [LAMP, CHAIR._replace(version=2)],
        [LAMP, CHAIR._replace(name="stool")],
        [LAMP, CHAIR._replace(description=None)],
        [LAMP, CHAIR, TABLE],
    ],
    ids=["an item", "a change", "a name", "a description", "a deletion"],
)
def test_a_missing_item_is_reported_as_lost(ledger: Ledger, stored: list[Item]) -> None:
    assert kinds(ledger, *stored) == [LOST]


@pytest.mark.parametrize(
    "stored",
    [
        [LAMP, CHAIR, LAMP._replace(id="4")],
        [LAMP, CHAIR._replace(version=4)],
        [LAMP, CHAIR, Item("4", "bench", None, 1)],
    ],
    ids=["a creation", "a change", "a creation that was renamed once"],
)
def test_an_extra_item_is_reported_as_a_duplicate(ledger: Ledger, stored: list[Item]) -> None:
    assert kinds(ledger, *stored) == [DUPLICATED]


def test_no_client_is_probed_when_no_response_is_pending(ledger: Ledger) -> None:
    assert kinds(ledger, LAMP, CHAIR, Item("4", f"{OWNERLESS} 0.1", None, 1)) == []


def test_an_unknown_outcome_is_not_counted_again(ledger: Ledger) -> None:
    ledger.doubt(CHAIR.id)
    ledger.doubt("bench")
    assert kinds(ledger, LAMP, Item("4", "bench", None, 1)) == []
    assert kinds(ledger, LAMP, CHAIR._replace(version=4)) == []


@pytest.mark.parametrize(
    "page", [[CHAIR], [LAMP], [LAMP, CHAIR, TABLE], [LAMP, CHAIR._replace(version=2)]]
)
def test_a_page_that_is_not_what_is_stored_is_misread(ledger: Ledger, page: list[Item]) -> None:
    assert ledger.misread([LAMP, CHAIR, Item("4", "another's", None, 1)], "", is_last=True) == ""
    assert ledger.misread(page, "", is_last=True)


def test_a_page_says_nothing_about_what_is_on_others(ledger: Ledger) -> None:
    assert ledger.misread([LAMP], "", is_last=False) == ""
    assert ledger.misread([CHAIR], LAMP.id, is_last=True) == ""
    assert ledger.misread([], CHAIR.id, is_last=True) == ""
    assert ledger.misread([], LAMP.id, is_last=True)


def test_the_report_names_what_is_wrong_and_shows_cases() -> None:
    account = Account()
    account.count_status(503, "GET")
    assert account.wrong() == {}
    assert account.report().endswith("All is well.")

    account.count_status(500, "GET of a lamp")
    account.count(LEAKED, "a socket")
    account.log_tail.append("the last words")

    assert account.wrong() == {LEAKED: 1, "500": 1}
    report = account.report()
    assert report.endswith("WRONG: 1 leaked, 1 500")
    for part in ("GET of a lamp", "a socket", "the last words"):
        assert part in report


def test_memory_is_compared_once_the_process_is_warm() -> None:
    samples = [(responses, 100 + (responses > 1) * 50 + responses) for responses in range(20)]
    assert growth_of(samples) == 15
    assert growth_of(samples[:5]) is None
