"""In which encoding the bytes of a document are read.

A byte order mark says it first, then the `charset` of the media type, then the document's own declaration (RFC 7303,
section 3); where none of them says any, it is UTF-8. Bytes are decoded whole and strictly: what is not in the encoding
that is named is refused, never kept as something else.

Any bytes are right in most single-byte encodings, and many are in GB18030. So what lies beyond ASCII and is valid UTF-8
from the first byte to the last is refused under another label: a text in that encoding is so by chance for some signs
of it at most, never as a whole.
"""

import re

from gateway.domain.faults import Fault, Refused

_UTF8 = "utf-8"

READ = {
    "utf-8": _UTF8,
    "utf8": _UTF8,
    "us-ascii": "ascii",
    "ascii": "ascii",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
    "koi8-r": "koi8-r",
    "iso-8859-1": "iso8859-1",
    "iso-8859-5": "iso8859-5",
    "iso-8859-15": "iso8859-15",
}
"""Label, by the registry of character sets → codec. GB 18030 holds all of GBK and GB 2312."""

_MARKS = ((b"\xef\xbb\xbf", _UTF8), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_UNMARKED = ((b"<\x00", "utf-16le"), (b"\x00<", "utf-16be"))
"""How a document begins that names its encoding in that encoding (XML 1.0, appendix F)."""
_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]{0,200}?\bencoding\s*=\s*["']([^"'>]{1,80})["']""")

_WIDE = ("gb18030", "utf-16", "utf-16-le", "utf-16-be")
_BY_CHANCE = 3
"""Characters of a short text in a wide encoding that may look like UTF-8; none of them like three of its bytes."""


def decoded(body: bytes, charset: str = "") -> str:
    """The text of a document.

    Args:
        charset: of the media type; empty where it names none.

    Raises:
        Refused: the encoding is not read, or the bytes are not in it.
    """
    marked = next((codec for mark, codec in _MARKS if body.startswith(mark)), "")
    label = charset or _declared(body)
    codec = marked or _codec(label)
    try:
        text = body.decode("utf-8-sig" if codec == _UTF8 else codec)
    except UnicodeDecodeError as error:
        values = {"label": label or codec, "position": error.start}
        raise Refused("xml-malformed", [Fault("xml.not_in_encoding", values=values)]) from None
    if codec not in (_UTF8, "ascii") and not marked and _is_utf8(body, wide=codec in _WIDE):
        raise Refused("xml-malformed", [Fault("xml.is_utf8", values={"label": label})])
    return text


def _declared(body: bytes) -> str:
    """The encoding that a document names, or begins in; empty where there is neither."""
    unmarked = next((label for begin, label in _UNMARKED if body.startswith(begin)), "")
    found = _DECLARED.match(body)
    return unmarked or (found[1].decode("latin-1") if found else "")


def _codec(label: str) -> str:
    codec = READ.get(label.lower()) if label else _UTF8
    if codec is None:
        values = {"found": label, "taken": ", ".join(READ)}
        raise Refused("xml-malformed", [Fault("xml.encoding", values=values)])
    return codec


def _is_utf8(body: bytes, *, wide: bool) -> bool:
    """Whether bytes beyond ASCII are UTF-8 as a whole, and not by chance."""
    try:
        beyond = [sign for sign in body.decode() if sign > "\x7f"]
    except UnicodeDecodeError:
        return False
    if wide:
        return len(beyond) > _BY_CHANCE or any(sign > "\u07ff" for sign in beyond)
    return bool(beyond)
