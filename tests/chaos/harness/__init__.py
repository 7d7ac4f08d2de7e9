"""Actions on a running platform or toy: traffic, kills, frozen processes, faulty links, restored copies.

Judges nothing."""
