"""What cleaning removes from a log line, and what it keeps."""

import pytest

from chassis.telemetry.cleaning import clean


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("from li.wei+x@firm.example.kz here", "from ••• here"),
        ("=a@b.c;", "=•••;"),
        ("token eyJhbGciOiJI.eyJzdWIiOiIx.c2ln end", "token ••• end"),
        ("xeyJhbGciOiJI.eyJzdWIiOiIx.c2ln end", "x••• end"),
        ("Authorization: Bearer abcdefgh1234", "Authorization: Bearer •••"),
        ("Authorization: Bearer\tabcdefgh1234", "Authorization: Bearer •••"),
        ("mongodb://user:pass@host/db", "mongodb://•••@host/db"),
    ],
)
def test_what_is_secret_is_still_masked(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
