"""Builders of declarations, submissions and partner events; each takes the fields that matter to a test."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chassis.delivery.records import Event as Received
from chassis.delivery.records import RawRecord
from chassis.delivery.subscriptions import Delivery
from contracts import envelope
from contracts.partners import v1 as partners_v1
from declarations.domain.charges import ChargeCode
from declarations.domain.claims import Claim, InspectionResult, Kind
from declarations.domain.commands import AnswerParties, Command, Lodge, NoteClaim, PassDeadline, Standing, TakeShare
from declarations.domain.declaration import (
    Charge,
    Declaration,
    Direction,
    Function,
    GoodsItem,
    Identifier,
    Money,
    Party,
    Role,
    Transport,
)
from declarations.domain.evolve import evolve
from declarations.domain.life import decide
from declarations.domain.payments import Share
from declarations.domain.state import Lane, RuleHit, State
from declarations.messages import DeclarationMessages
from declarations.reference_data import load_law
from values.payments import BankReference
from values.references import CommodityCode, ContainerNumber, Lrn, TransportDocument, Ucr, declaration_id

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LAW = load_law(zone="Asia/Shanghai", payment_days=15)
QINGDAO = Identifier("CN-USCC", "91370200163562681G")
SELLER = Identifier("KZ-BIN", "190540000014")
UCR = Ucr("6KZ190540000014-0001")
SERIAL = "000000042"
MESSAGES = DeclarationMessages()


def a_declaration(**changes: Any) -> Declaration:
    """An import that breaks no rule."""
    plain = Declaration(
        lrn=Lrn("QD-2026-0001"),
        ucr=UCR,
        direction=Direction.IMPORT,
        parties=(Party(Role.DECLARANT, QINGDAO), Party(Role.IMPORTER, QINGDAO), Party(Role.EXPORTER, SELLER)),
        goods=(an_item(),),
        customs_office="4258",
        dispatch_country="KZ",
        destination_country="CN",
        incoterm="CIF",
        currency="CNY",
        total_price=Money(Decimal("10000"), "CNY"),
        total_gross_mass_kg=Decimal("1100"),
        total_packages=10,
        transport=Transport(mode="1", document=TransportDocument("BL-1"), containers=(ContainerNumber("CSQU3054383"),)),
    )
    return replace(plain, **changes)


def an_item(**changes: Any) -> GoodsItem:
    plain = GoodsItem(
        number=1,
        commodity_code=CommodityCode("2603000010"),
        description="copper ore",
        origin="KZ",
        gross_mass_kg=Decimal("1100"),
        net_mass_kg=Decimal("1000"),
        packages=10,
        price=Money(Decimal("10000"), "CNY"),
    )
    return replace(plain, **changes)


def export(**changes: Any) -> Declaration:
    return a_declaration(
        direction=Direction.EXPORT,
        parties=(Party(Role.DECLARANT, QINGDAO), Party(Role.EXPORTER, QINGDAO)),
        **changes,
    )


def lodge(declaration: Declaration | None = None, receipt: str = "R-1", **changes: Any) -> Lodge:
    declaration = declaration or a_declaration()
    plain = Lodge(
        declaration_id=declaration_id(QINGDAO, declaration.lrn),
        receipt_id=receipt,
        received_at=NOW,
        firm=QINGDAO,
        function=Function.ORIGINAL,
        declaration=declaration,
    )
    return replace(plain, **changes)


def answer(version: int = 1, **standings: Standing) -> AnswerParties:
    """All parties may act except those given by index: `answer(_1=Standing.SUSPENDED)`."""
    found = dict.fromkeys(range(3), Standing.MAY_ACT) | {int(name[1:]): each for name, each in standings.items()}
    return AnswerParties(version, found, SERIAL)


def yuan(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


def charge(code: str, amount: str, currency: str = "CNY") -> Charge:
    return Charge(ChargeCode(code), Money(Decimal(amount), currency))


def a_claim(kind: Kind, id_: str = "", **changes: Any) -> Claim:
    id_ = id_ or kind.value
    moment = changes.pop("at", NOW + timedelta(hours=1))
    if "payment_reference" in changes:
        changes["payment_reference"] = BankReference(changes["payment_reference"])
    plain = Claim(
        event_id=f"E-{id_}",
        kind=kind,
        occurred_at=moment,
        received_at=moment,
        publisher=kind.value.split(".")[0],
        publisher_role="port",
        submission_id=id_,
    )
    return replace(plain, **changes)


def note(kind: Kind, id_: str = "", **changes: Any) -> NoteClaim:
    return NoteClaim(a_claim(kind, id_, **changes))


def paid(amount: str, id_: str = "pay-1", **changes: Any) -> NoteClaim:
    changes = {"payment_reference": id_, **changes}
    return note(Kind.PAYMENT_CONFIRMED, id_, amount=Money(Decimal(amount), "CNY"), **changes)


ARRIVED = note(Kind.ARRIVED)
GATE_IN = note(Kind.GATE_IN, at=NOW + timedelta(hours=2))
GATE_OUT = note(Kind.GATE_OUT, at=NOW + timedelta(days=1))
EXIT = note(Kind.EXIT_CONFIRMED, at=NOW + timedelta(days=2))
DOCUMENTS_OK = note(Kind.DOCUMENTS_ACCEPTED, at=NOW + timedelta(hours=3))
INSPECTED = note(Kind.INSPECTION_COMPLETED, at=NOW + timedelta(hours=4), result=InspectionResult.CONFORM)
TOTAL = "1300.00"
"""VAT of 13 % on copper ore worth CNY 10,000, without duty."""


def in_lane(lane: Lane) -> Any:
    """The law with a rule that sends goods into a lane, and without random selection."""
    points = {Lane.GREEN: 0, Lane.BLUE: 25, Lane.YELLOW: 40, Lane.RED: 70}[lane]
    nothing = replace(LAW.risk.random, parameters={"share": ("0",)})
    rules = tuple(
        replace(rule, condition="everything", points=points, parameters={}) for rule in LAW.risk.rules[:1] if points
    )
    rules = tuple(replace(rule, condition="origin_differs", lane=None) for rule in rules)
    return replace(LAW, risk=replace(LAW.risk, rules=rules, random=nothing))


def declared_for(lane: Lane) -> Declaration:
    """A declaration that the rule of `in_lane` matches; green needs no rule."""
    return a_declaration(dispatch_country="RU" if lane is not Lane.GREEN else "KZ")


def run(commands: Sequence[Command], *, law: Any = None, now: datetime = NOW) -> tuple[State, list[Any]]:
    """State and events after commands. Every event is also encoded, decoded and folded into a second state.

    The second state must equal the first, which is what rebuilding a lost database relies on. The clock
    stays at `now`, which is before claims are received unless both are given.
    """
    state: State | None = None
    rebuilt: State | None = None
    events: list[Any] = []
    for command in commands:
        for event in decide(state, command, now=now, law=law or in_lane(Lane.GREEN)):
            state = evolve(state, event)
            type_, data = MESSAGES.encode(event, state)
            rebuilt = evolve(rebuilt, MESSAGES.decode(type_, data))
            events.append(event)
    assert state is not None
    assert rebuilt == state
    return state, events


def names(events: Sequence[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


def a_report(
    kind: str, id_: str, *, classifier: str = "ACT", at: datetime = NOW, publisher: str = "port-qd", **fields: Any
) -> Received:
    """A partner event as it comes from the broker; pass `references` to say what it is about."""
    type_ = f"trade.partners.{kind}.v1"
    payload = partners_v1.EVENTS[type_].model_validate(
        {
            "classifier": classifier,
            "occurred_at": at,
            "received_at": at,
            "publisher": publisher,
            "publisher_role": "port",
            "submission_id": id_,
            **{"references": {"ucr": UCR}, **fields},
        }
    )
    data = payload.model_dump_json().encode()
    head = envelope.Envelope(
        f"P-{id_}/0.1", "/trade/gateway", type_, at, f"P-{id_}", 1, UCR, id_, f"partner:{publisher}"
    )
    headers = tuple(head.headers())
    return Received(head, payload, RawRecord("partners.events.v1", 0, 0, UCR.encode(), headers, data, 0))


def deliveries(event: Received, targets: Sequence[str]) -> list[Delivery]:
    return [Delivery(event, target) for target in targets]


def a_share(amount: str = TOTAL, allocation: int = 1, **changes: Any) -> TakeShare:
    plain = Share("bank-qd", BankReference("B-1"), Money(Decimal(amount), "CNY"), Decimal(amount), allocation)
    return TakeShare(replace(plain, **changes))


EVERY_COMMAND: tuple[Command, ...] = (lodge(), answer(), ARRIVED, a_share(), PassDeadline("payment"))
A_HIT = RuleHit("rule", 1, 0, None)
