"""The rules of documents and certificates, which are valid through their last day at the office; see `header`."""

from collections.abc import Iterator

from declarations.domain.declaration import Declaration, Document
from declarations.domain.office_day import OfficeCalendar, OfficeDay
from declarations.domain.state import RuleError
from declarations.domain.validity import certificates, expired, has_valid_certificate


def documents_are_valid(declaration: Declaration, on: OfficeDay, calendar: OfficeCalendar) -> Iterator[RuleError]:
    """Every declared document is valid on the day, and every certificate of a claimed preference is declared."""
    for index, document in enumerate(declaration.documents):
        if expired(document, on, calendar):
            yield _expired(document, f"/documents/{index}/valid_until")
    yield from _preferences_are_proven(declaration, on, calendar)
    for index, item in enumerate(declaration.goods):
        certificate = item.preference.certificate if item.preference else None
        for place, document in enumerate(item.documents):
            if expired(document, on, calendar) and (certificate is None or document.number != certificate):
                yield _expired(document, f"/goods/{index}/documents/{place}/valid_until")


def _preferences_are_proven(declaration: Declaration, on: OfficeDay, calendar: OfficeCalendar) -> Iterator[RuleError]:
    """A named certificate must be among the documents and valid; a preference code without one is not checked."""
    for index, item in enumerate(declaration.goods):
        if item.preference is None or item.preference.certificate is None:
            continue
        certificate, pointer = item.preference.certificate, f"/goods/{index}/preference/certificate"
        if not certificates(declaration, item):
            yield RuleError("declaration.certificate.missing", pointer, certificate)
        elif not has_valid_certificate(declaration, item, on, calendar):
            yield RuleError("declaration.certificate.expired", pointer, certificate)


def _expired(document: Document, pointer: str) -> RuleError:
    until = document.valid_until.isoformat() if document.valid_until else None
    return RuleError("declaration.document.expired", pointer, until, {"type": document.type})
