"""Measures the cost of the platform with one command, in comparison with hand-written code that does the same work."""
