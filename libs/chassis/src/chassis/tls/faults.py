"""What a failed TLS handshake means, in words for the operator."""

import ssl

_EXPIRED, _NOT_YET = 10, 9
_NAME, _ADDRESS = 62, 64
"""Verification codes of OpenSSL; of the others, all say that the chain does not end at a known authority."""


def tls_fault(error: ssl.SSLError, *, ca: str, own: str) -> str:
    """What is wrong and what to do; `ca` and `own` are the settings of the authorities and of our certificate."""
    if isinstance(error, ssl.SSLCertVerificationError):
        match error.verify_code:
            case code if code in {_NAME, _ADDRESS}:
                return (
                    f"its certificate is for another name ({error.verify_message}): use an address that the "
                    "certificate names, or have it issued for this one too"
                )
            case code if code in {_EXPIRED, _NOT_YET}:
                return f"its certificate is not valid now ({error.verify_message}): renew it, or mend this clock"
            case _:
                return (
                    f"its certificate comes from an authority that {ca} does not hold ({error.verify_message}): "
                    "add the authority's certificate to that file"
                )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    if "alert" in reason:
        return f"it refuses our certificate ({reason}): check {own}, and that the server knows its authority"
    return f"no TLS there ({reason}): check the port and the security protocol"
