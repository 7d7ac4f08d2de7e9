"""Which elements of a document were read, so that the rest can be named.

Elements are found by local name: customs administrations version the namespace with every release
while the names stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from gateway.wco.xml import local

MAX_PATHS = 300


@dataclass
class Reading:
    """One document while it is read."""

    declaration: Element
    _taken: set[Element] = field(default_factory=set)

    def all(self, parent: Element | None, path: str) -> list[Element]:
        """Every element at a path below `parent`, in document order."""
        found = [] if parent is None else [parent]
        for name in path.split("/"):
            found = [child for element in found for child in element if local(child) == name]
        return found

    def first(self, parent: Element | None, path: str) -> Element | None:
        return next(iter(self.all(parent, path)), None)

    def text(self, parent: Element | None, path: str) -> str | None:
        """The text of the first element at a path, None where it is absent or empty; it counts as read."""
        element = self.first(parent, path)
        return None if element is None else self.take(element)

    def texts(self, parent: Element | None, path: str) -> list[str]:
        """The texts of all elements at a path that have one; they count as read."""
        return [text for element in self.all(parent, path) if (text := self.take(element))]

    def money(self, parent: Element | None, path: str) -> dict[str, str | None] | None:
        """An amount with the currency of its `currencyID`."""
        element = self.first(parent, path)
        amount = None if element is None else self.take(element)
        if element is None or amount is None:
            return None
        return {"amount": amount, "currency": element.get("currencyID")}

    def take(self, element: Element) -> str | None:
        """Count an element as read and return its text."""
        self._taken.add(element)
        text = (element.text or "").strip()
        return text or None

    def not_read(self) -> tuple[str, ...]:
        """Paths of the elements that hold a text and were not read, each once, in document order."""
        return tuple(dict.fromkeys(self._left(self.declaration, f"/{local(self.declaration)}")))[:MAX_PATHS]

    def _left(self, element: Element, path: str) -> Iterator[str]:
        # The depth of the tree is bounded by the parser.
        for child in element:
            below = f"{path}/{local(child)}"
            if child not in self._taken and (child.text or "").strip():
                yield below
            yield from self._left(child, below)
