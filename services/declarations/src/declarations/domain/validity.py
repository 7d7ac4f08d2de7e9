"""Validity of documents and certificates on a day at the office: through their last day."""

from declarations.domain.declaration import Declaration, Document, GoodsItem
from declarations.domain.office_day import OfficeCalendar, OfficeDay


def has_valid_certificate(declaration: Declaration, item: GoodsItem, on: OfficeDay, calendar: OfficeCalendar) -> bool:
    """Whether the certificate of an item's preference is declared and valid on a day."""
    return any(not expired(document, on, calendar) for document in certificates(declaration, item))


def certificates(declaration: Declaration, item: GoodsItem) -> list[Document]:
    """The documents that an item's preference names."""
    certificate = item.preference.certificate if item.preference else None
    documents = (*item.documents, *declaration.documents)
    return [each for each in documents if certificate is not None and each.number == certificate]


def expired(document: Document, on: OfficeDay, calendar: OfficeCalendar) -> bool:
    """Whether a document has expired: it is valid through the office's day of `valid_until`."""
    return document.valid_until is not None and calendar.day(document.valid_until) < on
