"""Matches projects with mandates and explains each match."""
