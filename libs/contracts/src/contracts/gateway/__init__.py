"""Payloads that the gateway topic carries, one module or package per major version."""
