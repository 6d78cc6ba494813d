"""Who should take which project: the model, the batch, the single case, leave, teams, hours, and why."""
