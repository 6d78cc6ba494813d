"""Acts: every change that a person, a program or the clock can make, one file a subject."""
