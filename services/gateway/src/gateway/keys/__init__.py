"""Keys of partners and firms: issued and ended by staff, shown at the HTTP door.

Owns: keys, their store, and who is behind one. Keeps: a secret is shown once and never stored; an ended key opens for a
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
