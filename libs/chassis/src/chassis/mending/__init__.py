"""Mending: what staff do about parked deliveries, by gRPC.

Owns: the `Parking` service of every service, its messages, and the gauges of what is parked. Keeps: each action has a
person and a reason. Must not change a document but through delivery.
"""
