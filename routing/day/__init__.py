"""Day: couriers, shifts, stops and runs: offer, plan, commit, plan again, tick off."""
