"""Parses XML into an element tree with limits, so that hostile XML ends in an error and not in exhausted memory.

Document types are refused, so there are no entities and no external references. Limits on bytes,
depth, elements and text length are checked while parsing, before the tree grows.
"""

from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from gateway.domain.faults import Fault, Refused
from values.faults import shortened

_WCO = "urn:wco:datamodel:"

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 40
"""The deepest real declaration seen has 9 levels."""
MAX_ELEMENTS = 200_000
MAX_TEXT = 10_000
MAX_ATTRIBUTES = 30


class _BoundedBuilder(TreeBuilder):
    """Builds the tree and stops as soon as it exceeds a limit."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._elements = 0
        self._text = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._depth += 1
        self._elements += 1
        self._text = 0
        if self._depth > MAX_DEPTH:
            raise Refused("xml-too-deep", limit=MAX_DEPTH)
        if self._elements > MAX_ELEMENTS:
            raise Refused("xml-too-large", limit=f"{MAX_ELEMENTS} elements")
        if len(attrs) > MAX_ATTRIBUTES:
            raise Refused("xml-too-large", limit=f"{MAX_ATTRIBUTES} attributes")
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Element:
        self._depth -= 1
        self._text = 0
        return super().end(tag)

    def data(self, data: Any, /) -> None:
        self._text += len(data)
        if self._text > MAX_TEXT:
            raise Refused("xml-too-large", limit=f"{MAX_TEXT} characters in one element")
        super().data(data)


def parse(text: str) -> Element:
    """The root element of a decoded document; its XML declaration's encoding is ignored.

    Raises:
        Refused: too large, too deep, with a document type or entities, or not well-formed.
    """
    if len(text) > MAX_BYTES:
        raise Refused("too-large", limit=MAX_BYTES)
    parser = DefusedXMLParser(target=_BoundedBuilder(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(text)
        root = parser.close()
    except DefusedXmlException:
        raise Refused("xml-hostile") from None
    except ParseError as error:
        line, column = error.position
        raise Refused("xml-malformed", [Fault("xml.malformed", values={"line": line, "column": column})]) from None
    except (ValueError, RecursionError):
        raise Refused("xml-malformed", [Fault("xml.malformed", values={"line": 1, "column": 0})]) from None
    if not isinstance(root, Element):
        raise Refused("xml-malformed", [Fault("xml.malformed", values={"line": 1, "column": 0})])
    return root


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def is_wco(element: Element) -> bool:
    """Whether an element is in any WCO namespace; these differ within one document and by release."""
    return namespace(element).startswith(_WCO)


def shown(element: Element) -> str:
    """The name of an element in a path; with its namespace if that is not the WCO's."""
    name = local(element) if is_wco(element) else str(element.tag)
    return shortened(name.replace("/", "~1"))


def namespace(element: Element) -> str:
    """The namespace of an element; empty if it has none."""
    tag = str(element.tag)
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""
