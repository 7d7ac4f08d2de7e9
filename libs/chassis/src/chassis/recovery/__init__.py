"""Recovery: rebuilding a lost database from topics, and knowing who else runs.

Owns: epochs, the rebuild, and the register of instances. Keeps: two epochs never write the same documents. Must not be
used while a service works.
"""
