"""What `make crash` tries: cells, each one fault on one stage, run side by side.

A file a kind of fault; `catalogue` lists them all. What is left is judged by `chaos.judging`, or
by the toy's own checker.
"""
