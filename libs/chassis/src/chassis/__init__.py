"""Plumbing of every service, without a business word."""
