"""Who calls: short-lived Ed25519 tokens of services and of staff, their keys and the rotation of them.

Keys are files `<issuer>.<kid>.private.pem` and `<issuer>.<kid>.public.pem` in one folder. A token
counts only if the issuer it names is the issuer in the name of the key file that verifies it, so
that no service can speak as another one, and none as staff. A kid is the moment of its making: the
signer uses the newest of its keys, the verifier knows all that lie in the folder.
"""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, OKPKey

STAFF = "staff"
"""The issuer of people's tokens. Every other issuer is a service."""

LIFETIME_SECONDS = 300
LEEWAY_SECONDS = 30
"""By so much may the clocks of two processes differ."""
REREAD_SECONDS = 60.0
"""After so long the verifier sees that a key was taken away."""
REREAD_AT_MOST_EVERY_SECONDS = 0.5
"""Unknown kids make the verifier read its folder no more often than this."""

_ALGORITHM = "Ed25519"
_KEY_FILE = re.compile(r"(?P<issuer>[a-z][a-z0-9-]*)\.(?P<kid>[0-9A-Za-z-]+)\.(?P<kind>private|public)\.pem")


log = structlog.get_logger(__name__)


class InvalidToken(Exception):
    """A token that does not count, with the reason in words."""


class NoSigningKey(Exception):
    """The keys folder holds no private key of the issuer."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who stands behind a call, proven by a token."""

    issuer: str
    """A service's name, or `staff`."""
    subject: str
    """The service's name again, or the person's."""
    rights: frozenset[str] = frozenset()
    """A person's rights, such as `parking.write`; a service's come from the method it calls."""

    @property
    def is_staff(self) -> bool:
        return self.issuer == STAFF

    @property
    def actor(self) -> str:
        """The caller as histories and audits name it: `service:registry`, `staff:li`."""
        return f"{STAFF if self.is_staff else 'service'}:{self.subject}"


def create_key(keys_dir: Path, issuer: str, *, now: Callable[[], float] = time.time) -> str:
    """Make a pair of keys and return its kid; the private file is for its owner's eyes only.

    Raises:
        ValueError: the issuer cannot be part of a file's name.
        FileExistsError: a key of this very microsecond exists.
    """
    kid = datetime.fromtimestamp(now(), UTC).strftime("%Y%m%dT%H%M%S%fZ")
    if not _KEY_FILE.fullmatch(f"{issuer}.{kid}.public.pem"):
        raise ValueError(f"{issuer!r} is no issuer's name: lower case letters, digits and hyphens")
    keys_dir.mkdir(parents=True, exist_ok=True)
    key = OKPKey.generate_key("Ed25519")
    # The public half first: no token can be signed that cannot be verified.
    _write(keys_dir / f"{issuer}.{kid}.public.pem", key.as_pem(private=False), 0o644)
    _write(keys_dir / f"{issuer}.{kid}.private.pem", key.as_pem(private=True), 0o600)
    return kid


def _write(path: Path, content: bytes, mode: int) -> None:
    """Create a file whole: a reader finds all of it under its name, or nothing."""
    if path.exists():
        raise FileExistsError(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.rename(path)


@dataclass(frozen=True, slots=True)
class _KeyFile:
    issuer: str
    kid: str
    path: Path

    @property
    def name(self) -> str:
        """What a token's head says: the same moment may have made keys of two issuers."""
        return f"{self.issuer}.{self.kid}"


def _key_files(keys_dir: Path, kind: str) -> list[_KeyFile]:
    """The key files of a kind, oldest first; other files are left alone."""
    found = []
    for path in keys_dir.iterdir() if keys_dir.is_dir() else ():
        match = _KEY_FILE.fullmatch(path.name)
        if match and match["kind"] == kind:
            found.append(_KeyFile(match["issuer"], match["kid"], path))
    return sorted(found, key=lambda each: each.kid)


def _public_keys(keys_dir: Path) -> Iterator[tuple[str, tuple[str, OKPKey]]]:
    """(name, (issuer, key)) of every public key that can be read: a broken file costs its own tokens only."""
    for each in _key_files(keys_dir, "public"):
        try:
            yield each.name, (each.issuer, OKPKey.import_key(each.path.read_bytes()))
        except (OSError, ValueError, JoseError) as error:
            log.error("key_file_not_read", file=each.path.name, error=type(error).__name__)


class TokenSigner:
    """Signs as one issuer."""

    def __init__(self, keys_dir: Path, issuer: str, *, now: Callable[[], float] = time.time) -> None:
        self.issuer = issuer
        self._keys_dir = Path(keys_dir)
        self._now = now
        self._cache: dict[tuple[str, str, frozenset[str]], tuple[str, float]] = {}

    def token(self, audience: str, *, subject: str = "", rights: Iterable[str] = ()) -> str:
        """A token for calls of one service; made anew when a third of its life is left.

        Only staff have a subject of their own and rights.

        Raises:
            NoSigningKey: there is no private key of the issuer.
            ValueError: a service asks for another subject or for rights; staff name nobody.
        """
        subject = subject or ("" if self.issuer == STAFF else self.issuer)
        wanted = (audience, subject, frozenset(rights))
        if not subject:
            raise ValueError("a staff token names a person")
        if self.issuer != STAFF and (subject != self.issuer or wanted[2]):
            raise ValueError(f"{self.issuer} speaks for itself alone and has no rights of its own")
        token, renew_at = self._cache.get(wanted, ("", 0.0))
        now = self._now()
        if now >= renew_at:
            token, renew_at = self._sign(*wanted, now), now + LIFETIME_SECONDS * 2 / 3
            self._cache = {key: value for key, value in self._cache.items() if value[1] > now}
            self._cache[wanted] = (token, renew_at)
        return token

    def _sign(self, audience: str, subject: str, rights: frozenset[str], now: float) -> str:
        own = [each for each in _key_files(self._keys_dir, "private") if each.issuer == self.issuer]
        if not own:
            raise NoSigningKey(f"{self._keys_dir} holds no private key of {self.issuer}; create one")
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": subject,
            "aud": audience,
            "iat": int(now),
            "exp": int(now) + LIFETIME_SECONDS,
        }
        if rights:
            claims["rights"] = sorted(rights)
        key = OKPKey.import_key(own[-1].path.read_bytes())
        return jwt.encode({"alg": _ALGORITHM, "kid": own[-1].name}, claims, key, algorithms=[_ALGORITHM])


class TokenVerifier:
    """Tells who signed a token."""

    def __init__(self, keys_dir: Path, *, now: Callable[[], float] = time.time) -> None:
        self._keys_dir = Path(keys_dir)
        self._now = now
        self._keys: dict[str, tuple[str, OKPKey]] = {}
        self._read_at: float | None = None

    def verify(self, token: str, audience: str) -> Caller:
        """The caller that a token proves.

        Raises:
            InvalidToken: forged, expired, for somebody else, of an unknown key or of another issuer's.
        """
        issuers: list[str] = []

        def find(guest: GuestProtocol) -> OKPKey:
            issuer, key = self._key(str(guest.headers().get("kid")))
            issuers.append(issuer)
            return key

        try:
            claims = jwt.decode(token, find, algorithms=[_ALGORITHM]).claims
        except (JoseError, ValueError) as error:
            # The error's own words may hold pieces of the token.
            raise InvalidToken(f"the token is not valid ({type(error).__name__})") from error
        return self._caller(claims, issuers[0], audience)

    def _caller(self, claims: dict[str, Any], issuer: str, audience: str) -> Caller:
        """Judge the claims of a token whose signature holds."""
        now, subject, rights = self._now(), claims.get("sub"), claims.get("rights", [])
        issued, expires = claims.get("iat"), claims.get("exp")
        if claims.get("iss") != issuer:
            raise InvalidToken("the token names another issuer than its key's")
        if claims.get("aud") != audience:
            raise InvalidToken(f"the token is not for {audience}")
        if not isinstance(issued, int) or not isinstance(expires, int):
            raise InvalidToken("the token says not how long it lives")
        if not issued - LEEWAY_SECONDS <= now < expires + LEEWAY_SECONDS or expires - issued > LIFETIME_SECONDS:
            raise InvalidToken("the token has expired, is of the future or lives too long")
        if not isinstance(subject, str) or not subject or not isinstance(rights, list):
            raise InvalidToken("the token names nobody")
        if issuer != STAFF and (subject != issuer or rights):
            raise InvalidToken("a service speaks for itself alone and has no rights of its own")
        return Caller(issuer, subject, frozenset(str(each) for each in rights))

    def _key(self, name: str) -> tuple[str, OKPKey]:
        now = self._now()
        age = float("inf") if self._read_at is None else now - self._read_at
        if age > REREAD_SECONDS or age < 0 or (name not in self._keys and age > REREAD_AT_MOST_EVERY_SECONDS):
            self._read_at = now
            self._keys = dict(_public_keys(self._keys_dir))
        if name not in self._keys:
            raise InvalidToken("the token's key is not known")
        return self._keys[name]
