"""Validation of staff requests: every fault of a request is reported at once, with its field, value and rule."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from registry.domain.contact import LANGUAGES
from registry.domain.enterprise import Role
from registry.domain.identifiers import Accepted, Fault, IdentifierRules, Number, country_fault
from values.faults import TextFault
from values.text import line_fault, reference_fault

MAX_NUMBERS = 20
MAX_TEXT = 200

REQUIRED = "registry.field.required"
TOO_LONG = "registry.field.too_long"
TOO_MANY = "registry.field.too_many"
COUNTRY = "registry.field.country"
ROLE = "registry.field.role"
EMAIL = "registry.field.email"
LANGUAGE = "registry.field.language"
REASON = "registry.field.reason"

_EMAIL = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,255}")
_REASON = re.compile(r"[a-z][a-z0-9_.-]{0,59}")


class InvalidRequest(Exception):
    """The request breaks rules; nothing was changed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.rule}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Description:
    """An enterprise as staff described it, not validated."""

    numbers: tuple[Number, ...]
    roles: tuple[str, ...]
    """Values of `Role`; an unknown one is a fault."""
    contact: Mapping[str, str]
    """Any of name, email, language."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A validated description."""

    numbers: tuple[str, ...]
    roles: tuple[Role, ...]
    warnings: tuple[str, ...]


def judge(rules: IdentifierRules, description: Description, faults: list[Fault], country: str | None = None) -> Judged:
    """Validate a description; its faults are added to `faults`. `country` is given on registration only.

    Raises:
        InvalidRequest: with all faults.
    """
    accepted = _numbers(rules, description.numbers, faults)
    roles = _roles(description.roles, faults)
    _contact(description.contact, faults)
    if country is not None and accepted and (strange := country_fault(accepted[0].number, country)):
        faults.append(strange)
    if faults:
        raise InvalidRequest(faults)
    return Judged(
        numbers=tuple(dict.fromkeys(str(each.number) for each in accepted)),
        roles=roles,
        warnings=tuple(dict.fromkeys(code for each in accepted for code in each.warnings)),
    )


def command_id_faults(command_id: str) -> list[Fault]:
    """Faults of a command id, which is required so that the command can be repeated."""
    return _text("command_id", command_id, reference_fault, required=True)


def country_faults(rules: IdentifierRules, country: str) -> list[Fault]:
    """Faults of a country code: two letters of ISO 3166."""
    known = re.fullmatch(r"[A-Z]{2}", country) and rules.is_country(country)
    return [] if known else [Fault("country", country, COUNTRY, "ISO 3166: CN, KZ, RU …")]


def reason_faults(reason: str) -> list[Fault]:
    """Faults of a reason: it is a code, so that it can be shown in each reader's language."""
    return [] if _REASON.fullmatch(reason) else [Fault("reason", reason, REASON, f"{_REASON.pattern} (sanctions)")]


def _numbers(rules: IdentifierRules, numbers: Sequence[Number], faults: list[Fault]) -> list[Accepted]:
    if not numbers:
        faults.append(Fault("identifiers", "", REQUIRED))
    if len(numbers) > MAX_NUMBERS:
        faults.append(Fault("identifiers", str(len(numbers)), TOO_MANY, str(MAX_NUMBERS)))
        return []
    judged = [rules.judge(number, f"identifiers[{index}]") for index, number in enumerate(numbers)]
    faults.extend(each for each in judged if isinstance(each, Fault))
    return [each for each in judged if isinstance(each, Accepted)]


def _roles(roles: Sequence[str], faults: list[Fault]) -> tuple[Role, ...]:
    known = set(Role)
    faults.extend(
        Fault(f"roles[{index}]", role, ROLE, ", ".join(Role)) for index, role in enumerate(roles) if role not in known
    )
    return tuple(role for role in Role if role in roles)


def _contact(contact: Mapping[str, str], faults: list[Fault]) -> None:
    faults.extend(_text("name", contact.get("name", ""), line_fault))
    email, language = contact.get("email", ""), contact.get("language", "")
    if email and (line_fault(email) or not _EMAIL.fullmatch(email)):
        faults.append(Fault("contact.email", email, EMAIL, "name@example.kz"))
    if language and language not in LANGUAGES:
        faults.append(Fault("contact.language", language, LANGUAGE, ", ".join(LANGUAGES)))


def _text(
    field: str, value: str, fault_of: Callable[[str], TextFault | None], *, required: bool = False
) -> list[Fault]:
    """Faults of a text; `fault_of` is one of the checks of `values.text`."""
    if required and not value.strip():
        return [Fault(field, value, REQUIRED)]
    if len(value) > MAX_TEXT:
        return [Fault(field, value, TOO_LONG, str(MAX_TEXT))]
    fault = fault_of(value)
    return [Fault(field, value, f"registry.{fault.code}", fault.found)] if fault else []
