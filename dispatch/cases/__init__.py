"""Cases: the project, the case and what belongs to it: the nouns and their rules."""
