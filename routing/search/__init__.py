"""Search: the compiled core and OR-Tools: solve, improve, insert, explain. Pure."""
