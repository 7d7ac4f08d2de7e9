"""The timeline of a shipment and what it is waiting for. Pure."""
