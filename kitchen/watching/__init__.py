"""How any program is seen, and what is amiss with it."""
