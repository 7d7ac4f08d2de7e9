"""Determines the encoding of a document and decodes it.

In order of precedence: byte order mark, `charset` of the media type, the document's XML declaration (RFC 7303, section
3); UTF-8 if there is none of them. Decoding is strict: bytes that are invalid in the named encoding are refused.

Any bytes are valid in most single-byte encodings, and many are in GB18030. So non-ASCII content that is valid UTF-8 as
a whole is refused under another label: text in that other encoding can look like UTF-8 for a few characters by chance,
but not as a whole.
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
"""IANA label → codec. GB 18030 includes GBK and GB 2312."""

_MARKS = ((b"\xef\xbb\xbf", _UTF8), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_UNMARKED = ((b"<\x00", "utf-16le"), (b"\x00<", "utf-16be"))
"""First bytes of a UTF-16 document without a byte order mark (XML 1.0, appendix F)."""
_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]{0,200}?\bencoding\s*=\s*["']([^"'>]{1,80})["']""")

_WIDE = ("gb18030", "utf-16", "utf-16-le", "utf-16-be")
_BY_CHANCE = 3
"""Maximum number of UTF-8-like characters, all of two bytes, that text in a multi-byte encoding may have by chance."""


def decoded(body: bytes, charset: str = "") -> str:
    """Decode a document.

    Args:
        charset: of the media type; empty if it has none.

    Raises:
        Refused: the encoding is not supported, or the bytes are invalid in it.
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
    """The encoding in the XML declaration, or that of the first bytes; empty if neither tells."""
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
    """Whether the non-ASCII bytes are valid UTF-8 as a whole, beyond chance."""
    try:
        beyond = [sign for sign in body.decode() if sign > "\x7f"]
    except UnicodeDecodeError:
        return False
    if wide:
        return len(beyond) > _BY_CHANCE or any(sign > "\u07ff" for sign in beyond)
    return bool(beyond)
