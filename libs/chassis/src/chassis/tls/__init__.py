"""TLS: certificates from files that may be replaced at any time, and what a failed handshake means.

Owns: contexts of clients and servers. Keeps: a server's certificate and name are always checked. Must not read
settings: it is given files.
"""

from chassis.tls.certificates import CertificatesNotRead, client_context, load_client_context, server_context, stamps_of
from chassis.tls.faults import tls_fault

__all__ = [
    "CertificatesNotRead",
    "client_context",
    "load_client_context",
    "server_context",
    "stamps_of",
    "tls_fault",
]
