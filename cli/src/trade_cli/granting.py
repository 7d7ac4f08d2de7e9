"""Grants of a partner as command options: `--place "CNTAO/Qianwan terminal" --office 4218`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from trade.gateway.v1 import partners_pb2 as pb
from trade_cli.platform import CliError

Places = Annotated[
    list[str] | None,
    typer.Option("--place", metavar="UNLOCODE[/FACILITY]", help="A place it may report from; may be repeated."),
]
Offices = Annotated[
    list[str] | None, typer.Option("--office", metavar="CODE", help="A customs office it reports for; may be repeated.")
]
Agencies = Annotated[
    list[str] | None, typer.Option("--agency", metavar="CODE", help="An agency it reports for; may be repeated.")
]
Carriers = Annotated[
    list[str] | None,
    typer.Option("--carrier", metavar="SCHEME:VALUE", help="A number a carrier acts under; may be repeated."),
]


def grants(
    places: Sequence[str] | None = None,
    offices: Sequence[str] | None = None,
    agencies: Sequence[str] | None = None,
    carriers: Sequence[str] | None = None,
) -> pb.PartnerGrants:
    """Parse grants.

    Raises:
        CliError: a carrier's number lacks its scheme.
    """
    return pb.PartnerGrants(
        places=[_place(each) for each in places or ()],
        customs_offices=offices or (),
        agencies=agencies or (),
        carriers=[_carrier(each) for each in carriers or ()],
    )


def written(granted: pb.PartnerGrants) -> dict[str, list[str]]:
    """Grants in their written form, by kind; empty kinds are left out."""
    kinds = {
        "places": [f"{each.unlocode}/{each.facility}" if each.facility else each.unlocode for each in granted.places],
        "customs_offices": list(granted.customs_offices),
        "agencies": list(granted.agencies),
        "carriers": [f"{each.scheme}:{each.value}" for each in granted.carriers],
    }
    return {kind: values for kind, values in kinds.items() if values}


def in_words(granted: pb.PartnerGrants) -> str:
    """Grants in one line; empty if there are none."""
    return "; ".join(f"{kind.replace('_', ' ')}: {', '.join(values)}" for kind, values in written(granted).items())


def _place(place: str) -> pb.GrantedPlace:
    unlocode, _, facility = place.partition("/")
    return pb.GrantedPlace(unlocode=unlocode, facility=facility)


def _carrier(number: str) -> pb.CarrierNumber:
    scheme, colon, value = number.partition(":")
    if not colon:
        raise CliError(f"--carrier takes SCHEME:VALUE, such as KZ-BIN:190540000014; found {number[:40]!r}")
    return pb.CarrierNumber(scheme=scheme, value=value)
