"""The formats of submissions: JSON, CloudEvents, WCO documents. Bounded reading; no business rules."""
