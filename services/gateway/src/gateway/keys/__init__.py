"""Keys of partners and firms: issued and revoked by staff, presented over HTTP.

Owns: keys, their store and authentication. Keeps: a secret is shown once and never stored; a revoked key works for a
few seconds at most. Must not know what a key is used for.
"""

from gateway.keys.authentication import KeyAuthenticator
from gateway.keys.grpc_server import RIGHTS, KeyRpc
from gateway.keys.store import MongoKeys

__all__ = [
    "RIGHTS",
    "KeyAuthenticator",
    "KeyRpc",
    "MongoKeys",
]
