"""Declarations and their life cycle: pure, without clock, database, broker or third-party library."""
