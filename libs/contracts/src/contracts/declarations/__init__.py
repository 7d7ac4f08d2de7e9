"""Payloads that the declarations topic carries, one module per major version."""
