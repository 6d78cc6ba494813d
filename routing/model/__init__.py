"""Model: the routing problem, the plan, its independent check, and the files that hold them. Pure."""
