"""The cells of `make crash`: each is one fault on one stage; they run concurrently.

One file per kind of fault; `catalogue` lists all cells. `chaos.judging` or the toy's own checker judges the end
state.
"""
