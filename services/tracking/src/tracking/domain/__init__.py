"""What is known of a shipment, in what order it stands, and what it waits for: pure."""
