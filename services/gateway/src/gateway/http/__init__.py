"""HTTP of the gateway: reads requests, writes answers and refusals. No business rules."""
