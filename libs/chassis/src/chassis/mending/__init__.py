"""Mending: the gRPC service by which staff handle parked deliveries.

Owns: the `Parking` service, its messages, and the gauges of parked deliveries. Keeps: each action has a person and a
reason. Must change documents only through delivery.
"""
