"""Recovery: rebuilds a lost database from topics, and guards epochs and instance names.

Owns: epochs, the rebuild, and the register of instances. Keeps: two epochs never write the same documents. A rebuild
must not run while a replica of the service runs.
"""
