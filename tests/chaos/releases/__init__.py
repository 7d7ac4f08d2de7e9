"""Several releases side by side: the toy and the real declarations, rolled forth and back under load."""
