"""Enterprises, their numbers and their life cycle. Pure."""
