"""TLS: certificates from files that may be replaced at any time, and what a failed handshake means.

Owns: contexts of clients and servers. Keeps: a server's certificate and name are always checked. Must not read
settings: it is given files.
"""

from chassis.tls.certificates import client_context, load_client_context, server_context
from chassis.tls.faults import tls_fault
from chassis.tls.followed import CertificatesNotRead, Followed

__all__ = [
    "CertificatesNotRead",
    "Followed",
    "client_context",
    "load_client_context",
    "server_context",
    "tls_fault",
]
