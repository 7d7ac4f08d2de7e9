"""Records which elements of a document were read, so that the rest can be listed.

Elements are found by local name in any WCO namespace: administrations version the namespaces with every release and mix
them in one document, while the names stay the same. Elements of other namespaces are never read. An element counts as
read only if its content is carried, not if it was only inspected.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from gateway.domain.faults import Fault
from gateway.formats.validation import MAX_NOT_READ
from gateway.formats.wco.xml import is_wco, local, shown


@dataclass
class Reading:
    """A document being read."""

    declaration: Element
    _taken: set[Element] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    """Ambiguities found so far."""

    def all(self, parent: Element | None, path: str) -> list[Element]:
        """Every element at a path below `parent`, in document order."""
        found = [] if parent is None else [parent]
        for name in path.split("/"):
            found = [child for element in found for child in element if local(child) == name and is_wco(child)]
        return found

    def only(self, parent: Element | None, path: str) -> Element | None:
        """The element at a path that may occur once; more than one is a fault."""
        found = self.all(parent, path)
        if len(found) > 1:
            self.repeated(found)
        return next(iter(found), None)

    def repeated(self, elements: Sequence[Element]) -> None:
        """Note the fault of repeated elements where one is allowed."""
        fault = Fault("wco.repeated", self._path(elements[1]), {"count": len(elements)})
        if fault not in self.faults:  # an element inspected before it is read gets here twice
            self.faults.append(fault)

    def text(self, parent: Element | None, path: str) -> str | None:
        """The text of the only element at a path, None if absent or empty; marks it as read."""
        element = self.only(parent, path)
        return None if element is None else self.take(element)

    def peek(self, parent: Element | None, path: str) -> str | None:
        """As `text`, without marking the element as read."""
        element = self.only(parent, path)
        return None if element is None else _text(element)

    def texts(self, parent: Element | None, path: str) -> list[str]:
        """The texts of all elements at a path that have one; marks them as read."""
        return [text for element in self.all(parent, path) if (text := self.take(element))]

    def agreed(self, parent: Element | None, path: str) -> str | None:
        """The text that all elements at a path share; None if they differ, and then none is marked as read."""
        found = self.all(parent, path)
        said = {text for element in found if (text := _text(element))}
        if len(said) != 1:
            return None
        self._taken.update(found)
        return said.pop()

    def money(self, parent: Element | None, path: str) -> dict[str, str | None] | None:
        """The only amount at a path, with the currency of its `currencyID`."""
        element = self.only(parent, path)
        amount = None if element is None else self.take(element)
        if element is None or amount is None:
            return None
        return {"amount": amount, "currency": element.get("currencyID")}

    def take(self, element: Element) -> str | None:
        """Mark an element as read and return its text."""
        self._taken.add(element)
        return _text(element)

    def not_read(self) -> tuple[str, ...]:
        """Paths of the elements with a text that were not read, each once, in document order."""
        return tuple(dict.fromkeys(self._left(self.declaration, f"/{shown(self.declaration)}")))[:MAX_NOT_READ]

    def _left(self, element: Element, path: str) -> Iterator[str]:
        # The parser limits the depth of the recursion.
        for child in element:
            below = f"{path}/{shown(child)}"
            if child not in self._taken and _text(child):
                yield below
            yield from self._left(child, below)

    def _path(self, element: Element) -> str:
        """The path of an element, with its index among siblings of the same name."""
        parents = {child: parent for parent in self.declaration.iter() for child in parent}
        steps = []
        while element in parents:
            alike = [child for child in parents[element] if child.tag == element.tag]
            steps.append(shown(element) + (f"[{alike.index(element) + 1}]" if len(alike) > 1 else ""))
            element = parents[element]
        return "/".join(["", shown(self.declaration), *reversed(steps)])


def _text(element: Element) -> str | None:
    return (element.text or "").strip() or None
