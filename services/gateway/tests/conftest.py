"""Fixtures: the gateway with real routes over in-memory stores, without broker or database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from chassis.doors.answering import App
from chassis.doors.http_door import http_door
from chassis.rpc.paging import Place
from chassis.settings import HttpSettings
from chassis.testing import ManualClock, MemoryDocuments, RecordingOutbox, in_memory
from contracts.topics import GATEWAY, PARTNERS
from gateway.app import routers
from gateway.domain import keys
from gateway.domain.access import Owner, OwnerKind, default_scopes
from gateway.domain.event_outcome import Note, Share
from gateway.domain.faults import Refused
from gateway.domain.keys import Key
from gateway.domain.outcome import Step
from gateway.domain.pace import Pace
from gateway.domain.partner import Partner
from gateway.http.admission import Admission
from gateway.http.application import create_app, paths_of
from gateway.http.problems import unanswered
from gateway.keys import KeyAuthenticator
from gateway.notices.notifications_client import NoticePage, NoticeShown
from gateway.partners.known import KnownPartners
from gateway.partners.plausible import Limits
from gateway.partners.quarantine import Quarantined
from gateway.receipts.aggregate import FIRM_RECEIPT, PARTNER_RECEIPT
from gateway.receipts.keeping import Original, Receipts


@dataclass
class MemoryOriginals:
    stored: dict[str, Original] = field(default_factory=dict)

    async def save(self, originals: Any) -> None:
        for each in originals:
            self.stored.setdefault(each.id, each)

    async def get(self, id_: str) -> Original | None:
        return self.stored.get(id_)


@dataclass
class MemoryQuarantine:
    stored: dict[str, Quarantined] = field(default_factory=dict)

    async def save(self, records: Any) -> None:
        for each in records:
            self.stored.setdefault(each.id, each)

    async def of_partner(self, partner: str, *, before: Place | None, limit: int) -> list[Quarantined]:
        own = [each for each in self.stored.values() if each.partner == partner and (not before or each.place < before)]
        return sorted(own, key=lambda each: each.place, reverse=True)[:limit]

    async def get(self, partner: str, id_: str) -> Quarantined | None:
        found = self.stored.get(id_)
        return found if found and found.partner == partner else None


@dataclass
class MemoryKeys:
    stored: dict[str, Key] = field(default_factory=dict)
    asked: int = 0
    """Number of look-ups."""

    async def ids(self) -> frozenset[str]:
        self.asked += 1
        return frozenset(self.stored)

    async def add(self, key: Key) -> None:
        self.stored[key.id] = key

    async def get(self, id_: str) -> Key | None:
        self.asked += 1
        return self.stored.get(id_)

    async def revoke(self, id_: str, at: datetime, by: str, reason: str) -> Key | None:
        key = self.stored.get(id_)
        if key is not None and key.revoked_at is None:
            self.stored[id_] = replace(key, revoked_at=at, revoked_by=by, revoke_reason=reason)
        return self.stored.get(id_)

    async def page(self, owner: Owner | None, after: str, limit: int) -> list[Key]:
        mine = [
            key
            for key in self.stored.values()
            if owner is None or (key.owner.kind, key.owner.code) == (owner.kind, owner.code)
        ]
        return sorted((key for key in mine if key.id > after), key=lambda key: key.id)[:limit]


@dataclass
class MemoryPartners:
    stored: dict[str, Partner] = field(default_factory=dict)

    async def get(self, id_: str, /) -> Partner | None:
        return self.stored.get(id_)


@dataclass
class MemoryOutcomes:
    stored: dict[str, dict[str, Step]] = field(default_factory=dict)

    async def note(self, steps: Any) -> None:
        for id_, step in steps:
            self.stored.setdefault(id_, {}).setdefault(step.event, step)

    async def steps(self, declaration_id: str) -> list[Step]:
        return sorted(self.stored.get(declaration_id, {}).values(), key=lambda step: step.sequence)


@dataclass
class MemoryEventOutcomes:
    stored: dict[str, dict[str, Note]] = field(default_factory=dict)
    stored_shares: dict[str, dict[str, Share]] = field(default_factory=dict)

    async def note(self, notes: Any) -> None:
        for id_, note in notes:
            self.stored.setdefault(id_, {}).setdefault(note.event, note)

    async def notes(self, receipt_id: str) -> list[Note]:
        return list(self.stored.get(receipt_id, {}).values())

    async def share(self, shares: Any) -> None:
        for id_, share in shares:
            self.stored_shares.setdefault(id_, {}).setdefault(share.event, share)

    async def shares(self, payment: str) -> list[Share]:
        return list(self.stored_shares.get(payment, {}).values())


@dataclass
class MemoryNotices:
    """The inbox in order of writing; a page token is the number of the last notice."""

    stored: dict[str, list[NoticeShown]] = field(default_factory=dict)
    away: bool = False

    async def of_firm(self, firm: str, *, limit: int, page: str) -> NoticePage:
        if self.away:
            raise Refused("notices-away")
        begin = int(page or 0)
        mine = self.stored.get(firm, [])
        return NoticePage(mine[begin : begin + limit], str(begin + limit) if len(mine) > begin + limit else "")


def an_event(**overrides: Any) -> dict[str, Any]:
    """A partner's event in structured mode."""
    return {
        "specversion": "1.0",
        "id": "evt-1",
        "source": "/port/qingdao",
        "type": "trade.partners.shipment.gate_in.v1",
        "data": {
            "classifier": "ACT",
            "occurred_at": "2026-01-05T09:00:00+08:00",
            "location": {"unlocode": "CNTAO", "facility": "QQCT"},
            "references": {"ucr": "6CN91370200MB2F00QD1X-0001"},
        },
        **overrides,
    }


def a_declaration(**overrides: Any) -> dict[str, Any]:
    """A firm's declaration."""
    return {
        "lrn": "L-0001",
        "direction": "import",
        "currency": "CNY",
        "parties": [
            {"role": "declarant", "identifier": {"scheme": "CN-USCC", "value": "91370200MB2F00QD1X"}},
            {"role": "importer", "identifier": {"scheme": "CN-USCC", "value": "91110000100000000A"}},
        ],
        "goods": [{"number": 1, "commodity_code": "8543400000", "price": {"amount": "2000.00", "currency": "CNY"}}],
        **overrides,
    }


class Gateway:
    """A gateway over in-memory stores, and a client for it."""

    an_event = staticmethod(an_event)
    a_declaration = staticmethod(a_declaration)

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.outbox = RecordingOutbox()
        self.documents = MemoryDocuments()
        self.originals = MemoryOriginals()
        self.quarantine = MemoryQuarantine()
        self.outcomes = MemoryOutcomes()
        self.notices = MemoryNotices()
        self.keys = MemoryKeys()
        self.event_outcomes = MemoryEventOutcomes()
        self.registered = MemoryPartners()
        self.partners = KnownPartners(self.registered, self.clock, cache_seconds=5)
        self.authenticator = KeyAuthenticator(self.keys, self.clock, cache_seconds=5)
        shared: dict[str, Any] = {"clock": self.clock, "outbox": self.outbox, "documents": self.documents}
        self.receipts = Receipts(
            in_memory(PARTNER_RECEIPT, topic=PARTNERS, **shared)[0],
            in_memory(FIRM_RECEIPT, topic=GATEWAY, **shared)[0],
            self.originals,
        )
        self.admission = Admission(self.authenticator, Pace(100, 100), self.clock)
        self.overloaded = False
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.served()), base_url="http://gateway")

    def app(self) -> FastAPI:
        """The application with the routes of all slices."""
        return create_app(
            routers(
                self.admission,
                clock=self.clock,
                limits=Limits(),
                kept=self.receipts,
                known=self.partners,
                quarantine=self.quarantine,
                of_declarations=self.outcomes,
                of_events=self.event_outcomes,
                inboxes=self.notices,
            )
        )

    def served(self, **settings: Any) -> App:
        """The application behind the chassis' server middleware, as in the service."""
        app = self.app()
        return http_door(
            app,
            HttpSettings(port=0, **settings),
            paths=paths_of(app),
            otherwise=unanswered,
            overloaded=lambda: self.overloaded,
        )

    def key(self, owner: Owner, *scopes: str, **fields: Any) -> str:
        """Issue a key; returns its text."""
        id_, shown, digest = keys.write(f"{len(self.keys.stored):06}".encode(), owner.code.ljust(32).encode())
        key = Key(id_, owner, scopes or default_scopes(owner), digest, "", self.clock.now(), "staff:li", **fields)
        self.keys.stored[id_] = key
        return shown

    def partner(self, code: str = "port-qd", role: str = "port", *scopes: str) -> dict[str, str]:
        """Headers of a registered partner; its grants are in `registered`."""
        self.registered.stored.setdefault(code, Partner(code, role))
        return {"Authorization": f"Bearer {self.key(Owner(OwnerKind.PARTNER, code, role), *scopes)}"}

    def firm(self, number: str = "CN-USCC:91370200MB2F00QD1X", *scopes: str) -> dict[str, str]:
        """Headers of a firm."""
        return {"Authorization": f"Bearer {self.key(Owner(OwnerKind.FIRM, number), *scopes)}"}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    gateway = Gateway()
    yield gateway
    await gateway.http.aclose()
