"""The books: what was sent and what became of it, and whether it adds up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock
from typing import Any

from traffic.client import Answer
from traffic.receivers import Mood, Receiver
from traffic.stack import Stack


@dataclass(frozen=True)
class Expected:
    """The answers a request may get: statuses, and the name of the refusal if it is one."""

    statuses: frozenset[int]
    error: str | None = None

    def met_by(self, answer: Answer) -> bool:
        """Whether the answer is one of them."""
        return answer.status in self.statuses and (self.error is None or answer.error == self.error)


ACCEPTED = Expected(frozenset({200, 202}))


def refused(status: int, *others: int, error: str | None = None) -> Expected:
    """A refusal with one of these statuses, by this name."""
    return Expected(frozenset({status, *others}), error)


@dataclass
class Books:
    """Everything that was sent, by kind; every submission that was accepted, by tenant."""

    sent: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    accepted: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # tenant -> id -> fields sent
    repeated: int = 0  # requests sent again because nobody answered
    wrongs: list[str] = field(default_factory=list)
    followed: str = ""  # the request id of one good submission
    _lock: Lock = field(default_factory=Lock)

    def enter(self, kind: str, expected: Expected, answer: Answer) -> bool:
        """Note one answer; say whether it was as expected."""
        fine = expected.met_by(answer)
        with self._lock:
            self.sent[kind] += 1
            text = "accepted" if answer.status in ACCEPTED.statuses else f"{answer.status} {answer.error}".strip()
            self.outcomes.setdefault(kind, Counter())[text] += 1
            self.repeated += answer.attempts - 1
            if not fine:
                self.wrongs.append(f"{kind}: answered {answer.status} {answer.error}")
        return fine

    def accept(self, tenant: str, submission: str, fields: dict[str, Any]) -> None:
        """Note an accepted submission."""
        with self._lock:
            known = self.accepted.setdefault(tenant, {})
            if known.setdefault(submission, fields) != fields:
                self.wrongs.append(f"{tenant}:{submission} was accepted with two bodies")


@dataclass
class Row:
    """One destination's line of the report."""

    receiver: Receiver
    accepted: int
    delivered: int
    dead: Counter[str]  # reason -> letters
    missing: list[str]  # neither delivered nor dead


@dataclass
class Balance:
    """What is where, at one moment."""

    stored: dict[str, int]
    rows: list[Row]
    elsewhere: list[str]  # dead letters of other steps, by name
    wrongs: list[str]

    @property
    def settled(self) -> bool:
        """Whether everything has come to its end."""
        return not self.wrongs and not any(row.missing for row in self.rows)


def balance(books: Books, stack: Stack, receivers: Iterable[Receiver]) -> Balance:
    """Compare what was accepted with what is stored, delivered and dead-lettered."""
    wrongs: list[str] = []
    stored: dict[str, int] = {}
    dead: dict[tuple[str, str, str], str] = {}
    elsewhere: list[str] = []
    for tenant, accepted in books.accepted.items():
        items = {item["id"]: item for item in stack.items(tenant, "SUB#")}
        stored[tenant] = len(items)
        wrongs += [f"{tenant}:{missing} was accepted and is not stored" for missing in accepted.keys() - items.keys()]
        wrongs += [f"{tenant}:{extra} is stored and was never accepted" for extra in items.keys() - accepted.keys()]
        wrongs += [
            f"{tenant}:{same} is stored with other fields than were sent"
            for same in accepted.keys() & items.keys()
            if exact(items[same]["fields"]) != exact(accepted[same])
        ]
        for item in stack.items(tenant, "DEAD#"):
            if item["source"] == "connector":
                dead[tenant, item["content"]["submission"], item["content"]["destination"]] = item["reason"]
            else:
                elsewhere.append(f"{tenant}:{item['identity']} by {item['source']}: {item['reason']}")
    rows = [_row(receiver, books.accepted.get(receiver.tenant, {}), dead) for receiver in receivers]
    return Balance(stored, rows, elsewhere, wrongs)


def _row(receiver: Receiver, accepted: Iterable[str], dead: dict[tuple[str, str, str], str]) -> Row:
    submissions = set(accepted)
    delivered = {one for one in submissions if f"{receiver.tenant}:{one}" in receiver.taken}
    reasons = {
        one: dead[receiver.tenant, one, receiver.name]
        for one in sorted(submissions)
        if (receiver.tenant, one, receiver.name) in dead
    }
    missing = sorted(submissions - delivered - reasons.keys())
    return Row(receiver, len(submissions), len(delivered), Counter(reasons.values()), missing)


def final_wrongs(books: Books, result: Balance, expected_dead: set[Mood]) -> list[str]:
    """Everything that does not add up once the day is over."""
    wrongs = [*books.wrongs, *result.wrongs]
    for row in result.rows:
        name = f"{row.receiver.tenant}/{row.receiver.name}"
        wrongs += [f"{name}: {wrong}" for wrong in row.receiver.wrongs]
        wrongs += [f"{name}: {missing} neither delivered nor dead-lettered" for missing in row.missing]
        strangers = [
            key for key in row.receiver.taken if key.partition(":")[2] not in books.accepted[row.receiver.tenant]
        ]
        wrongs += [f"{name}: {stranger} was delivered and never accepted" for stranger in strangers]
        wrongs += [
            f"{name}: {submission} was delivered with other fields than were sent"
            for submission, fields in books.accepted[row.receiver.tenant].items()
            if (body := row.receiver.taken.get(f"{row.receiver.tenant}:{submission}")) is not None
            and not as_sent(row.receiver.mapping, body, submission, fields)
        ]
        if row.receiver.mood not in expected_dead and row.delivered < row.accepted:
            wrongs.append(f"{name}: {row.accepted - row.delivered} dead-lettered although the destination came back")
    return wrongs


def as_sent(mapping: dict[str, str], body: dict[str, Any], submission: str, fields: dict[str, Any]) -> bool:
    """Whether a delivery says what was sent, in the destination's terms where it has some."""
    if not mapping:
        return bool(body["id"] == submission and exact(body["fields"]) == exact(fields))
    wanted = {}
    for name, path in mapping.items():
        value: Any = {"id": submission, "fields": fields}
        for step in path.split("."):
            value = value.get(step, ...) if isinstance(value, dict) else ...
        if value is not ...:
            wanted[name] = value
    return bool(exact(body) == exact(wanted))


def exact(value: Any) -> Any:
    """A value to compare by: numbers by what they are, not by their type."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {name: exact(member) for name, member in value.items()}
    if isinstance(value, list):
        return [exact(member) for member in value]
    return Decimal(repr(value) if isinstance(value, float) else value)
