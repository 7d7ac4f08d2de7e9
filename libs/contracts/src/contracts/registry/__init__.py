"""Payloads that the registry topic carries, one module per major version."""
