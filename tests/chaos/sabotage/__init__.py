"""Services that are broken on purpose, and what the checker says of each.

`python -m chaos.sabotage` runs one."""
