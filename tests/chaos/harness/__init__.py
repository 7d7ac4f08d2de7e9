"""What is done to a running platform or toy: traffic, kills, frozen processes, harmed links, copies put back.

Judges nothing."""
