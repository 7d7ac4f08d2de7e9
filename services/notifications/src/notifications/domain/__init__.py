"""Notices and their life cycle: pure, without clock, drivers or contracts."""
