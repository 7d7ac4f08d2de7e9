"""The support desk: one timeline per shipment."""
