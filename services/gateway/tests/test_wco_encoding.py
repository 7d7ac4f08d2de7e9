"""The encoding of a document: from byte order mark, media type or XML declaration; a wrong one is refused."""

from typing import Any

import pytest

from gateway.domain.faults import Refused
from gateway.formats.wco.encoding import READ, decoded

CYRILLIC, CHINESE = "Алматы, склад №4 «Заря»", "青岛保税区仓库"


def document(label: str, text: str) -> str:
    return f'<?xml version="1.0" encoding="{label}"?><a>{text}</a>'


@pytest.mark.parametrize("label", sorted(READ))
def test_every_encoding_that_is_read_gives_the_text(label: str) -> None:
    text = {"windows-1251": CYRILLIC, "koi8-r": "Алматы, склад", "iso-8859-5": "Алматы, склад №4"}.get(label, "plain")
    text = {"gb": CHINESE, "ut": CYRILLIC + CHINESE, "wi": text}.get(label[:2], text)
    text = {"windows-1252": "Zürich", "iso-8859-1": "Zürich", "iso-8859-15": "Zürich €"}.get(label, text)
    body = document(label, text).encode(READ[label])
    assert decoded(body).partition("<a>")[2] == f"{text}</a>"


@pytest.mark.parametrize("label", ["gb2312", "GBK", "gb18030"])
def test_the_chinese_labels_are_all_read_as_gb18030(label: str) -> None:
    assert CHINESE + "㐀" in decoded(document(label, CHINESE + "㐀").encode("gb18030"))


def test_the_media_type_takes_precedence_over_the_document() -> None:
    assert CYRILLIC in decoded(document("windows-1251", CYRILLIC).encode(), "utf-8")
    assert CYRILLIC in decoded(document("utf-8", CYRILLIC).encode("cp1251"), "windows-1251")


def test_the_byte_order_mark_takes_precedence_over_both() -> None:
    assert CYRILLIC in decoded(document("windows-1251", CYRILLIC).encode("utf-8-sig"), "koi8-r")
    assert CYRILLIC in decoded(document("windows-1251", CYRILLIC).encode("utf-16"), "utf-8")


@pytest.mark.parametrize("label", ["windows-1251", "koi8-r", "iso-8859-1", "iso-8859-5", "gbk", "gb18030"])
@pytest.mark.parametrize("text", [CYRILLIC, CHINESE + CHINESE[:1], "Ёжик"])
def test_utf_8_under_another_label_is_refused_by_name(label: str, text: str) -> None:
    for body, charset in ((document(label, text).encode(), ""), (document("utf-8", text).encode(), label)):
        with pytest.raises(Refused, match="xml-malformed") as refused:
            decoded(body, charset)
        (fault,) = refused.value.faults
        # Most of these bytes are invalid GB18030 too, and are then refused with their position.
        assert fault.code in ("xml.is_utf8", "xml.not_in_encoding")
        assert fault.values["label"] == label


def test_a_short_chinese_text_that_looks_like_utf_8_is_read() -> None:
    body = document("gbk", "一").encode("gbk")
    assert body.decode("utf-8")
    assert "<a>一</a>" in decoded(body)


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (document("utf-8", CYRILLIC).encode("cp1251"), ""),
        (document("windows-1251", CYRILLIC).encode("cp1251"), "utf-8"),
        (document("us-ascii", CYRILLIC).encode(), ""),
        (document("windows-1252", "").encode() + b"\x81", ""),
    ],
)
def test_bytes_that_are_not_in_the_named_encoding_are_refused(body: bytes, charset: str) -> None:
    with pytest.raises(Refused, match="xml-malformed") as refused:
        decoded(body, charset)
    assert refused.value.faults[0].code == "xml.not_in_encoding"


@pytest.mark.parametrize("label", ["x-none", "utf-7", "ibm037", "base64", "rot13", "idna", "utf-32"])
def test_an_unsupported_encoding_is_refused_with_the_list_of_supported_ones(label: str) -> None:
    for body, charset in ((document(label, "a").encode(), ""), (b"<a/>", label)):
        with pytest.raises(Refused) as refused:
            decoded(body, charset)
        (fault,) = refused.value.faults
        assert (fault.code, fault.values["found"]) == ("xml.encoding", label)
        assert "gb18030" in str(fault.values["taken"])


WCO = """<?xml version="1.0" encoding="{label}"?><MetaData xmlns="urn:wco:datamodel:WCO:DEC-DMS:2"><Declaration>
<FunctionCode>9</FunctionCode><FunctionalReferenceID>M-1</FunctionalReferenceID><TypeCode>IM</TypeCode>
<InvoiceAmount currencyID="GBP">1</InvoiceAmount>
<Declarant><ID>GB603202734852</ID></Declarant><GoodsShipment><GovernmentAgencyGoodsItem>
<SequenceNumeric>1</SequenceNumeric><Commodity><Description>Алматы</Description></Commodity>
</GovernmentAgencyGoodsItem></GoodsShipment></Declaration></MetaData>"""


@pytest.mark.parametrize(
    ("label", "codec", "kind", "status"),
    [
        ("windows-1251", "utf-8", "application/xml", 400),
        ("windows-1251", "utf-8", "application/xml; charset=utf-8", 202),
        ("windows-1251", "cp1251", "application/xml", 202),
        ("windows-1251", "cp1251", 'text/xml; Charset="UTF-8"', 400),
        ("utf-8", "cp1251", "text/xml; charset=windows-1251", 202),
    ],
)
async def test_the_stored_text_is_decoded_in_the_right_encoding(
    gateway: Any, label: str, codec: str, kind: str, status: int
) -> None:
    headers = gateway.firm("GB-EORI:GB603202734852") | {"Content-Type": kind}
    sent = WCO.format(label=label).encode(codec)
    answer = await gateway.http.post("/v1/declarations", content=sent, headers=headers)
    assert answer.status_code == status
    if status == 202:
        assert "Алматы" in gateway.outbox.published[-1]["data"]
        original = await gateway.http.get(answer.json()["status_url"] + "/original", headers=headers)
        assert (original.content, original.headers["Content-Type"]) == (sent, kind.lower().replace('"', ""))
    else:
        assert answer.json()["errors"][0]["code"] in ("xml.is_utf8", "xml.not_in_encoding")
