"""The command's own certificate, where services take only mutual TLS: the variables are those of a service.

`TRADE_TLS__CA_FILE`, `TRADE_TLS__CERTIFICATE_FILE` and `TRADE_TLS__KEY_FILE`; without them connections are plain.
"""

import os

from pydantic import ValidationError

from chassis.rpc import Certificates
from chassis.settings import TlsSettings
from chassis.tls import CertificatesNotRead

_VARIABLES = {name: f"TRADE_TLS__{name.upper()}" for name in TlsSettings.model_fields}


def own_certificates() -> Certificates | None:
    """What the command shows and trusts; None: nothing was set.

    Raises:
        CertificatesNotRead: a file cannot be used, or is not named.
    """
    given = {name: os.environ[variable] for name, variable in _VARIABLES.items() if os.environ.get(variable)}
    try:
        settings = TlsSettings.model_validate(given)
        return Certificates(settings) if settings.used else None
    except ValidationError as error:
        raise CertificatesNotRead(f"TRADE_TLS: {error.errors(include_url=False)[0]['msg']}") from None
