"""Authority: whether a partner's grants match a declaration.

A partner's event has effect on a declaration if they match by the rule of the partner's role; otherwise
it is noted without effect. The grants are those at the time of receipt, so that a decision can be
repeated. Events from before grants existed have none, and their role alone decides. A retraction always
has effect, because it applies only to its own publisher's statements.

A place is a UN/LOCODE, optionally with a facility. The places of a declaration are where its goods are
presented, its customs office and that office's place. If it names neither, or its office's place is
unknown, the home office of the installation is used, so that the declaration is not stuck for ever.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from declarations.domain.claims import Claim, Kind, WithoutEffect
from declarations.domain.declaration import Declaration, Location, Role
from declarations.domain.grants import Grants
from values.identifiers import compact
from values.partner_roles import ROLES, Concern
from values.places import GrantedPlace, Locode


@dataclass(frozen=True, slots=True)
class Seats:
    """The places of customs offices."""

    places: Mapping[str, Locode]
    """Code of an office → UN/LOCODE."""
    home: str
    """The office of declarations that name neither an office nor a place."""


Rule: TypeAlias = Callable[[Claim, Grants, Declaration, Seats], bool]
"""(claim, its publisher's grants, declaration, offices' places) → whether they match."""

ON_THE_WAY = (Kind.DEPARTED, Kind.BORDER_CROSSED, Kind.EXIT_CONFIRMED)
"""Events that happen away from the declaration's place: the place that they state only has to be granted."""


def judge(claim: Claim, declaration: Declaration, seats: Seats) -> WithoutEffect | None:
    """Why a claim has no effect on a declaration for lack of authority; None if it has effect."""
    if claim.grants is None or claim.retracts is not None:
        return None
    concerned = RULES[ROLES[claim.publisher_role].concern](claim, claim.grants, declaration, seats)
    return None if concerned else WithoutEffect.NOT_CONCERNED


def of_the_place(claim: Claim, grants: Grants, declaration: Declaration, seats: Seats) -> bool:
    """A place or office of the declaration is granted, and the place that the event states agrees."""
    if not _granted_meets(grants, declaration, seats):
        return False
    stated = _stated(claim.location)
    if stated is None:
        return True
    granted = _granted_places(grants, seats)
    if not any(_covers(place, stated) for place in granted):
        return False
    return claim.kind in ON_THE_WAY or any(_covers(place, stated) for place in _places(declaration, seats))


def of_the_agency(claim: Claim, grants: Grants, declaration: Declaration, seats: Seats) -> bool:
    """As `of_the_place`; or the declaration has a document that the agency issued."""
    documents = (*declaration.documents, *(each for item in declaration.goods for each in item.documents))
    issuers = {compact(each.issuer) for each in documents if each.issuer}
    if issuers & set(grants.agencies):
        return True
    return of_the_place(claim, grants, declaration, seats)


def of_the_carrier(claim: Claim, grants: Grants, declaration: Declaration, _seats: Seats) -> bool:
    """The declaration names the carrier, or the event names the declaration's transport document."""
    named = {party.identifier for party in declaration.parties if party.role is Role.CARRIER}
    if named & set(grants.carriers):
        return True
    said = claim.references.transport_document if claim.references is not None else None
    return bool(said) and said == declaration.transport.document


def of_the_payment(claim: Claim, _grants: Grants, _declaration: Declaration, _seats: Seats) -> bool:
    """The bank names what is paid: a payment reference, the declaration's number, or at least the UCR.

    The declaration of a reference or number was found when the event was matched; a payment that names only
    a UCR is allocated to the open assessments of that UCR.
    """
    said = claim.references
    if said is None:
        return False
    return said.decisive is not None and said.decisive[0] != "transport_document"


RULES: Mapping[Concern, Rule] = {
    Concern.CARRIER: of_the_carrier,
    Concern.PLACE: of_the_place,
    Concern.AGENCY: of_the_agency,
    Concern.PAYMENT: of_the_payment,
}
"""Rules by which a publisher is concerned with a declaration; each role uses one."""


def _granted_meets(grants: Grants, declaration: Declaration, seats: Seats) -> bool:
    office = declaration.customs_office or seats.home
    if compact(office) in grants.customs_offices:
        return True
    return any(_covers(place, here) for place in grants.places for here in _places(declaration, seats))


def _granted_places(grants: Grants, seats: Seats) -> tuple[GrantedPlace, ...]:
    """Granted places, and the places of granted offices."""
    of_offices = (_seat(office, seats) for office in grants.customs_offices)
    return (*grants.places, *(place for place in of_offices if place is not None))


def _places(declaration: Declaration, seats: Seats) -> tuple[GrantedPlace, ...]:
    """Where a declaration's goods are handled. A stated facility takes precedence over the office's whole place."""
    stated = _stated(declaration.transport.location)
    seat = _seat(declaration.customs_office, seats) if declaration.customs_office else None
    if stated is not None and seat is not None and stated.unlocode == seat.unlocode:
        seat = None
    places = tuple(place for place in (stated, seat) if place is not None)
    return places or tuple(place for place in (_seat(seats.home, seats),) if place is not None)


def _seat(office: str, seats: Seats) -> GrantedPlace | None:
    place = seats.places.get(compact(office))
    return GrantedPlace(place) if place else None


def _stated(location: Location | None) -> GrantedPlace | None:
    """A location as a place; None if it has no UN/LOCODE."""
    if location is None or not location.unlocode:
        return None
    return GrantedPlace(location.unlocode, location.facility)


def _covers(granted: GrantedPlace, place: GrantedPlace) -> bool:
    """Whether a grant covers a place: the same UN/LOCODE, and not another facility."""
    if granted.unlocode != place.unlocode:
        return False
    if granted.facility is None or place.facility is None:
        return True
    return granted.facility.casefold() == place.facility.casefold()
