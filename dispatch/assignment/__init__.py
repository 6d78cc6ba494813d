"""Assignment: needs and candidates, the choice, its application in one transaction, its explanation."""
