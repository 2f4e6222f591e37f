"""The day: what the tenants, and others, do from morning to evening."""

import hashlib
import json
import random
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from traffic.books import ACCEPTED, Books, refused
from traffic.client import Answer, Client, Signer
from traffic.receivers import Mood, Receiver
from traffic.stack import Stack

CRM = {"full_name": "fields.name", "amount": "fields.amount", "reference": "id", "city": "fields.address.city"}

FORBIDDEN = refused(403, error="Forbidden")  # API Gateway's answer to a denial
# The authorizer looks at a remembered secret again after five seconds: who rotates gives it that time before using the
# new one, and the previous one stays good meanwhile.
ROTATION_S = 6.0

ITEM_BYTES = 400 * 1024 - 4 * 1024  # what the application lets into an item
GATEWAY_BYTES = 10 * 1024 * 1024
LAMBDA_BYTES = 6 * 1024 * 1024


@dataclass
class Day:
    """One day with a fresh set of tenants: `acme`, `bolt` and `cairn`, told apart from other days' by a suffix."""

    stack: Stack
    client: Client
    submissions: int
    seed: int
    say: Callable[[str], None]
    books: Books = field(default_factory=Books)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        suffix = secrets.token_hex(3)
        self.signers = {name: Signer(f"{name}-{suffix}", secrets.token_hex(16)) for name in ("acme", "bolt", "cairn")}
        acme, bolt, cairn = (signer.tenant for signer in self.signers.values())
        self.receivers = [
            Receiver(acme, "crm", secrets.token_hex(8), mapping=CRM),
            Receiver(acme, "mail", secrets.token_hex(8)),
            Receiver(bolt, "crm", secrets.token_hex(8), mapping=CRM),
            Receiver(bolt, "erp", secrets.token_hex(8), Mood.BROKEN),  # for good
            Receiver(cairn, "archive", secrets.token_hex(8)),
            Receiver(cairn, "strict", secrets.token_hex(8), Mood.REFUSING),  # takes nothing of this kind
        ]
        self.mail = self.receivers[1]

    def open(self, url: str) -> None:
        """Give the tenants their secrets and register their destinations, reachable at `url`."""
        for signer in self.signers.values():
            self.stack.put_tenant_secret(signer.tenant, signer.secret)
        for receiver in self.receivers:
            address = url + receiver.path
            self.stack.register(receiver.tenant, receiver.name, address, receiver.api_key, receiver.mapping)

    def play(self, pause_s: float) -> None:
        """The whole day; `pause_s` passes between a tenant's submissions."""
        with ThreadPoolExecutor(max_workers=8) as pool:
            self.say("morning: everybody submits")
            tenants = [pool.submit(self.submit_all, signer, pause_s) for signer in self.signers.values()]
            tenants.append(pool.submit(self.trespass))
            time.sleep(self.submissions * pause_s / 4)
            self.say("noon: acme's mail is unplugged, bolt's secret is rotated")
            self.mail.mood = Mood.UNPLUGGED
            tenants.append(pool.submit(self.rotate, self.signers["bolt"]))
            tenants.append(pool.submit(self.oversize, self.signers["cairn"]))
            time.sleep(self.submissions * pause_s / 4)
            self.say("afternoon: acme's mail is back")
            self.mail.mood = Mood.UP
            for tenant in tenants:
                tenant.result()
        self.say("evening: everybody reads what was received")
        for signer in self.signers.values():
            self.read(signer)

    def submit_all(self, signer: Signer, pause_s: float) -> None:
        """A tenant's submissions, some of them twice, some changed, some broken."""
        for number in range(self.submissions):
            key = f"{signer.tenant}-{number}" if number % 3 else None
            fields = self.fields(number)
            body = form(fields, key)
            headers = signer.headers("POST", body)
            answer = self.submit("good", signer, body, fields, resign=key is not None)
            if key and number % 5 == 1:
                self.submit("duplicate", signer, body, fields)
            if key and number % 7 == 1 and answer.status in ACCEPTED.statuses:
                changed = form(fields | {"amount": -1}, key)
                conflict = self.client.submit(signer, changed)
                self.books.enter("changed duplicate", refused(409, error="IdempotencyConflict"), conflict)
            if number % 9 == 2:
                self.attack(signer, headers, body)
            time.sleep(pause_s)

    def submit(self, kind: str, signer: Signer, body: bytes, fields: dict[str, Any], resign: bool = True) -> Answer:
        """Submit what must be accepted."""
        answer = self.client.submit(signer, body, resign)
        if self.books.enter(kind, ACCEPTED, answer):
            self.books.accept(signer.tenant, str(answer.body["id"]), fields)
            if kind == "good" and signer is self.signers["acme"] and answer.attempts == 1:
                self.books.followed = answer.request_id
        return answer

    def fields(self, number: int) -> dict[str, Any]:
        """The fields of one form: text, fractions, lists, nothing at all."""
        return {
            "name": self.random.choice(["Ada", "Grace", "Edsger", "Barbara", "Dønald", "李"]),
            "amount": round(self.random.uniform(0, 1000), 2),
            "count": number,
            "tags": self.random.sample(["a", "b", "c", "d"], k=2),
            "address": {"city": self.random.choice(["London", "Zürich", "東京"]), "zip": None},
            "subscribed": self.random.random() < 0.5,
        }

    def attack(self, signer: Signer, captured: dict[str, str], body: bytes) -> None:
        """What somebody tries who saw a request, or knows how one looks."""
        forged = Signer(signer.tenant, "a guess").headers("POST", body)
        self.books.enter("bad signature", FORBIDDEN, self.client.post(forged, body))
        stale = signer.headers("POST", body, age_s=301)
        self.books.enter("stale signature", FORBIDDEN, self.client.post(stale, body))
        other = form({"name": "Mallory"}, None)
        mismatch = refused(403, error="DigestMismatch")
        self.books.enter("captured signature, other body", mismatch, self.client.post(captured, other))
        digest = {"x-forms-digest": hashlib.sha256(other).hexdigest()}
        self.books.enter("captured signature, other digest", FORBIDDEN, self.client.post(captured | digest, other))
        self.books.enter("captured signature, to read", FORBIDDEN, self.client.get(signer, {}, headers=captured))

    def trespass(self) -> None:
        """What strangers and careless clients send."""
        acme, bolt = self.signers["acme"], self.signers["bolt"]
        body = form({"name": "Nobody"}, None)
        for _ in range(3):
            unknown = Signer("nobody-" + acme.tenant[-6:], "whatever").headers("POST", body)
            self.books.enter("unknown tenant", FORBIDDEN, self.client.post(unknown, body))
        self.books.enter(
            "no tenant's name", FORBIDDEN, self.client.post(Signer("../acme", "x").headers("POST", body), body)
        )
        unsigned = {name: value for name, value in acme.headers("POST", body).items() if name != "x-forms-signature"}
        self.books.enter("unsigned", refused(401, error="Unauthorized"), self.client.post(unsigned, body))
        foreign = Signer(bolt.tenant, acme.secret)
        self.books.enter("another tenant's secret", FORBIDDEN, self.client.get(foreign, {}))
        for broken in (b"{", b"[]", b'{"form": "contact"}', b'{"form": "contact", "fields": {"n": NaN}}'):
            answer = self.client.submit(acme, broken)
            self.books.enter("malformed body", refused(400, error="MalformedBody"), answer)

    def oversize(self, signer: Signer) -> None:
        """Up to each border, and over it."""
        for kind, size in (("largest that can be stored", 0), ("too large to be stored", 1)):
            fields = {"text": "x" * (ITEM_BYTES - self.overhead(signer) + size)}
            body = form(fields, f"{signer.tenant}-large")
            if size == 0:
                self.submit(kind, signer, body, fields)
            else:
                too_large = refused(413, error="SubmissionTooLarge")
                self.books.enter(kind, too_large, self.client.submit(signer, body))
        # What the gateway and Lambda answer is theirs; that it is no acceptance is ours.
        body = b" " * (LAMBDA_BYTES + 1)
        self.books.enter(
            "larger than a function takes", refused(413, 500), self.client.submit(signer, body, final={500})
        )
        body = b" " * (GATEWAY_BYTES + 1)
        self.books.enter("larger than the gateway takes", refused(413), self.client.submit(signer, body))

    def overhead(self, signer: Signer) -> int:
        """The bytes of a stored submission beside its one long text, as the application counts them."""
        names = ("tenant", "id", "form", "fields", "digest", "received_at", "expires_at")
        values = (
            len(signer.tenant)
            + len(f"{signer.tenant}-large")
            + len("contact")
            + 64
            + len("2026-01-01T00:00:00.000Z")
            + 7
        )
        return sum(map(len, names)) + values + 3 + len("text") + 1

    def rotate(self, signer: Signer) -> None:
        """A new secret; the old one is used a little longer, then the new one."""
        secret = secrets.token_hex(16)
        self.stack.put_tenant_secret(signer.tenant, secret)
        until = time.monotonic() + ROTATION_S
        while time.monotonic() < until:
            fields = {"name": "old secret", "amount": 0.1}
            self.submit("signed with the previous secret", signer, form(fields, secrets.token_hex(8)), fields)
            time.sleep(1)
        signer.secret = secret

    def read(self, signer: Signer) -> None:
        """A tenant pages through its own submissions and finds exactly what was accepted, whoever else wrote."""
        wanted = set(self.books.accepted.get(signer.tenant, {}))
        until = time.monotonic() + 30
        while (found := set(self.listed(signer))) != wanted and time.monotonic() < until:
            time.sleep(0.5)  # what was accepted may still be on its way
        if found != wanted:
            self.books.wrongs.append(f"{signer.tenant} lists {len(found)} submissions instead of {len(wanted)}")

    def listed(self, signer: Signer) -> Iterator[str]:
        """The ids a tenant gets, page by page."""
        parameters = {"limit": "50"}
        while True:
            answer = self.client.get(signer, parameters)
            if not self.books.enter("list", refused(200), answer):
                return
            yield from (one["id"] for one in answer.body["submissions"])  # type: ignore[attr-defined]
            if answer.body["next"] is None:
                return
            parameters["next"] = str(answer.body["next"])


def form(fields: dict[str, Any], key: str | None) -> bytes:
    """A submission's body."""
    document = {"form": "contact", "fields": fields} | ({"key": key} if key else {})
    return json.dumps(document, ensure_ascii=False).encode()
