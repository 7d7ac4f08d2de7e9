"""Whether documents and certificates are valid on a day at the office: through their last day."""

from declarations.domain.declaration import Declaration, Document, GoodsItem
from declarations.domain.office_day import OfficeCalendar, OfficeDay


def has_valid_certificate(declaration: Declaration, item: GoodsItem, on: OfficeDay, calendar: OfficeCalendar) -> bool:
    """Whether the certificate of an item's preference is declared, and valid on a day."""
    return any(not expired(document, on, calendar) for document in certificates(declaration, item))


def certificates(declaration: Declaration, item: GoodsItem) -> list[Document]:
    """The documents that an item's preference names."""
    certificate = item.preference.certificate if item.preference else None
    documents = (*item.documents, *declaration.documents)
    return [each for each in documents if certificate is not None and each.number == certificate]


def expired(document: Document, on: OfficeDay, calendar: OfficeCalendar) -> bool:
    """A document is good through the day in which its last moment lies."""
    return document.valid_until is not None and calendar.day(document.valid_until) < on
