"""Why Kafka cannot be reached, in one line for the operator.

The client library logs the cause and raises "unable to bootstrap", whatever it was. So after a failure one more
connection is made, and its error is told: what is wrong, and which setting or certificate to mend.
"""

import contextlib
import ssl
from collections.abc import AsyncIterator

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from chassis.failures import InfrastructureError
from chassis.settings import KafkaSettings
from chassis.tls import tls_fault

TRY_SECONDS = 5.0


class BrokerRefusesUs(InfrastructureError, KafkaError):  # type: ignore[misc]  # the library has no types
    """Kafka is there, and no connection is possible; the text is one line that says why and what to do."""

    retriable = True

    def __str__(self) -> str:
        return str(self.args[0])


@contextlib.asynccontextmanager
async def reaching(settings: KafkaSettings) -> AsyncIterator[None]:
    """Around the start of a client.

    Raises:
        BrokerRefusesUs: the settings or certificates do not fit the broker.
        KafkaError: the broker is unavailable.
    """
    try:
        yield
    except BrokerRefusesUs:
        raise
    except (KafkaError, ssl.SSLError) as error:
        if line := await why_not(settings):
            raise BrokerRefusesUs(line) from error
        raise


async def why_not(settings: KafkaSettings) -> str:
    """Why the brokers refuse us; empty if one of them does not, or if none answers at all."""
    options = settings.client_options()
    line = ""
    for host, port, _ in collect_hosts(options.pop("bootstrap_servers")):
        try:
            connection = await create_conn(host, port, request_timeout_ms=int(TRY_SECONDS * 1000), **options)
        except (OSError, KafkaError, TimeoutError) as error:
            line = line or _told(settings, f"{host}:{port}", error)
        else:
            connection.close()
            return ""
    return line


def _told(settings: KafkaSettings, address: str, error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        fault = tls_fault(error, ca="TRADE_KAFKA__CA_FILE", own="TRADE_KAFKA__CERTIFICATE_FILE")
        return f"Kafka at {address}: {fault}"
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"Kafka at {address} refuses the user {settings.username!r} with this password "
            f"({settings.sasl_mechanism}): check TRADE_KAFKA__USERNAME and TRADE_KAFKA__PASSWORD_FILE, "
            "and that the broker has this user"
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"Kafka at {address} does not offer {settings.sasl_mechanism}: set TRADE_KAFKA__SASL_MECHANISM"
    if isinstance(error, (KafkaConnectionError, ConnectionResetError, ConnectionAbortedError)):
        # Connected, then closed: a server that stops does this too, so only the operator can tell.
        return (
            f"Kafka at {address} closes the connection without an answer: unless it is just starting or stopping, it "
            f"expects another TRADE_KAFKA__SECURITY_PROTOCOL than {settings.security_protocol}"
        )
    return ""
