"""Payloads that the gateway topic carries, one module per major version."""
