"""Only tokens prove the caller's identity."""

import base64
import json
import stat
from pathlib import Path

import pytest

from chassis.rpc.identity import (
    LEEWAY_SECONDS,
    LIFETIME_SECONDS,
    InvalidToken,
    NoSigningKey,
    TokenSigner,
    TokenVerifier,
    create_key,
)


class Now:
    def __init__(self) -> None:
        self.seconds = 1_770_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Now:
    return Now()


def test_service_token_names_the_service_and_staff_token_the_person(tmp_path: Path, now: Now) -> None:
    create_key(tmp_path, "declarations", now=now)
    create_key(tmp_path, "staff", now=now)
    verifier = TokenVerifier(tmp_path, now=now)
    caller = verifier.verify(TokenSigner(tmp_path, "declarations", now=now).token("registry"), "registry")
    assert (caller.actor, caller.is_staff, caller.rights) == ("service:declarations", False, frozenset())
    token = TokenSigner(tmp_path, "staff", now=now).token("registry", subject="li", rights=["registry.write"])
    caller = verifier.verify(token, "registry")
    assert (caller.actor, caller.is_staff, caller.rights) == ("staff:li", True, frozenset({"registry.write"}))


def test_private_key_is_for_its_owner_only(tmp_path: Path) -> None:
    kid = create_key(tmp_path, "registry")
    assert stat.S_IMODE((tmp_path / f"registry.{kid}.private.pem").stat().st_mode) == 0o600
    assert b"PRIVATE" not in (tmp_path / f"registry.{kid}.public.pem").read_bytes()


@pytest.mark.parametrize("issuer", ["", "../staff", "staff.x", "Registry", "a/b"])
def test_issuer_that_is_no_name_gets_no_key(tmp_path: Path, issuer: str) -> None:
    with pytest.raises(ValueError, match="not an issuer name"):
        create_key(tmp_path, issuer)


def test_token_for_another_audience_is_refused(tmp_path: Path, now: Now) -> None:
    create_key(tmp_path, "a", now=now)
    with pytest.raises(InvalidToken, match="not for"):
        TokenVerifier(tmp_path, now=now).verify(TokenSigner(tmp_path, "a", now=now).token("b"), "c")


def test_token_ends_with_its_life(tmp_path: Path, now: Now) -> None:
    create_key(tmp_path, "a", now=now)
    token = TokenSigner(tmp_path, "a", now=now).token("b")
    verifier = TokenVerifier(tmp_path, now=now)
    now.seconds += LIFETIME_SECONDS
    assert verifier.verify(token, "b").subject == "a"  # within the leeway
    now.seconds += LEEWAY_SECONDS
    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(token, "b")


def test_token_of_the_future_is_refused(tmp_path: Path, now: Now) -> None:
    create_key(tmp_path, "a", now=now)
    token = TokenSigner(tmp_path, "a", now=now).token("b")
    now.seconds -= LEEWAY_SECONDS + 1
    with pytest.raises(InvalidToken):
        TokenVerifier(tmp_path, now=now).verify(token, "b")


def test_token_is_cached_and_renewed_before_it_ends(tmp_path: Path, now: Now) -> None:
    create_key(tmp_path, "a", now=now)
    signer = TokenSigner(tmp_path, "a", now=now)
    first = signer.token("b")
    now.seconds += LIFETIME_SECONDS / 2
    assert signer.token("b") == first
    now.seconds += LIFETIME_SECONDS / 4
    assert signer.token("b") != first


def _forged(signer_dir: Path, issuer: str, kid_of: str, now: Now, **claims: object) -> str:
    """A token signed with `issuer`'s key, with other claims or another kid in its head."""
    from joserfc import jwt  # noqa: PLC0415
    from joserfc.jwk import OKPKey  # noqa: PLC0415

    path = next(signer_dir.glob(f"{issuer}.*.private.pem"))
    usual = {"iss": issuer, "sub": issuer, "aud": "b", "iat": int(now()), "exp": int(now()) + 60}
    key = OKPKey.import_key(path.read_bytes())
    return jwt.encode({"alg": "Ed25519", "kid": kid_of}, {**usual, **claims}, key, algorithms=["Ed25519"])


def test_a_service_can_never_speak_as_staff(tmp_path: Path, now: Now) -> None:
    own = "registry." + create_key(tmp_path, "registry", now=now)
    staffs = "staff." + create_key(tmp_path, "staff", now=now)
    verifier = TokenVerifier(tmp_path, now=now)
    assert verifier.verify(_forged(tmp_path, "registry", own, now), "b").actor == "service:registry"
    for token in (
        _forged(tmp_path, "registry", own, now, iss="staff", sub="li", rights=["parking.write"]),
        _forged(tmp_path, "registry", staffs, now, iss="staff", sub="li"),
        _forged(tmp_path, "registry", own, now, iss="staff"),
        _forged(tmp_path, "registry", own, now, rights=["parking.write"]),
        _forged(tmp_path, "registry", own, now, sub="declarations"),
        _forged(tmp_path, "registry", own, now, exp=int(now()) + 10 * LIFETIME_SECONDS),
    ):
        with pytest.raises(InvalidToken):
            verifier.verify(token, "b")
    with pytest.raises(ValueError, match="no other subject"):
        TokenSigner(tmp_path, "registry", now=now).token("b", subject="li")


def test_unsigned_and_mutilated_tokens_are_refused(tmp_path: Path, now: Now) -> None:
    kid = "a." + create_key(tmp_path, "a", now=now)
    good = TokenSigner(tmp_path, "a", now=now).token("b")

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"iss": "a", "sub": "a", "aud": "b", "iat": int(now()), "exp": int(now()) + 60}
    for token in (
        "",
        "a.b.c",
        "ä",
        good[:-4] + "AAAA",
        f"{part({'alg': 'none', 'kid': kid})}.{part(claims)}.",
        f"{part({'alg': 'HS256', 'kid': kid})}.{part(claims)}.AAAA",
        f"{part([])}.{part(claims)}.AAAA",
    ):
        with pytest.raises(InvalidToken):
            TokenVerifier(tmp_path, now=now).verify(token, "b")


def test_rotation_needs_no_restart(tmp_path: Path, now: Now) -> None:
    create_key(tmp_path, "a", now=now)
    signer, verifier = TokenSigner(tmp_path, "a", now=now), TokenVerifier(tmp_path, now=now)
    old = signer.token("b")
    verifier.verify(old, "b")
    now.seconds += LIFETIME_SECONDS * 0.7
    kid = create_key(tmp_path, "a", now=now)
    new = signer.token("b")
    assert json.loads(base64.urlsafe_b64decode(new.split(".")[0] + "=="))["kid"] == f"a.{kid}"
    assert verifier.verify(new, "b") == verifier.verify(old, "b")


def test_key_that_was_taken_away_counts_no_longer(tmp_path: Path, now: Now) -> None:
    create_key(tmp_path, "a", now=now)
    signer, verifier = TokenSigner(tmp_path, "a", now=now), TokenVerifier(tmp_path, now=now)
    token = signer.token("b")
    verifier.verify(token, "b")
    for path in tmp_path.iterdir():
        path.unlink()
    now.seconds += 61
    with pytest.raises(InvalidToken, match="key is unknown"):
        verifier.verify(token, "b")
    now.seconds += LIFETIME_SECONDS
    with pytest.raises(NoSigningKey):
        signer.token("b")


def test_a_broken_key_file_costs_nobody_elses_tokens(tmp_path: Path, now: Now) -> None:
    create_key(tmp_path, "registry", now=now)
    (tmp_path / "matching.1.public.pem").write_bytes(b"half a k")
    (tmp_path / "matching.2.public.pem").write_bytes(b"")
    (tmp_path / "matching.3.public.pem").mkdir()
    (tmp_path / "matching.4.public.pem").symlink_to(tmp_path / "gone")
    token = TokenSigner(tmp_path, "registry", now=now).token("gateway")
    assert TokenVerifier(tmp_path, now=now).verify(token, "gateway").actor == "service:registry"
