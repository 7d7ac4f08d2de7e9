"""Keys of partners and firms: `trade_<key id>_<secret>`, shown once, stored as a hash.

The secret is 32 random bytes, so SHA-256 is enough at rest: slow hashes protect guessable secrets,
and 256 random bits cannot be guessed. Hashes are compared in constant time, even if the key id is
unknown.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.access import Owner, Principal

SECRET_BYTES = 32
ID_BYTES = 6
_MARK = "trade"
_NOBODY = hashlib.sha256(b"").hexdigest()
"""Compared with the secret if the key id is unknown; matches no issued secret."""


@dataclass(frozen=True, slots=True)
class Key:
    """A stored key."""

    id: str
    owner: Owner
    scopes: tuple[str, ...]
    digest: str
    """SHA-256 of the secret, hexadecimal."""
    label: str
    issued_at: datetime
    issued_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str = ""
    revoke_reason: str = ""

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def principal(self) -> Principal:
        return Principal(self.owner, self.scopes, self.id)


@dataclass(frozen=True, slots=True)
class Presented:
    """A key as presented by its holder."""

    id: str
    secret: str


def write(id_bytes: bytes, secret_bytes: bytes) -> tuple[str, str, str]:
    """Make a key from random bytes: its id, the text for the holder, and the digest to store."""
    id_ = id_bytes.hex()
    secret = base64.urlsafe_b64encode(secret_bytes).decode().rstrip("=")
    return id_, f"{_MARK}_{id_}_{secret}", digest(secret)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def read(text: str) -> Presented | None:
    """Parse a presented key; None if it does not have the form of one."""
    mark, _, rest = text.partition("_")
    id_, _, secret = rest.partition("_")
    if mark != _MARK or not id_ or not secret or not text.isascii():
        return None
    return Presented(id_, secret)


def opens(key: Key | None, presented: Presented, now: datetime) -> bool:
    """Whether a presented key matches the stored one and is valid. Takes the same time if there is no stored key."""
    same = hmac.compare_digest(digest(presented.secret), key.digest if key is not None else _NOBODY)
    return same and key is not None and key.valid(now)
