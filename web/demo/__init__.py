"""The demo: a believable working day, and the network at the size of a city or the province."""
