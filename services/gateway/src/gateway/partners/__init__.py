"""Registered partners: who they are, what they are granted, and how staff change that."""
