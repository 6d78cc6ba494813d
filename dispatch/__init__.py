"""The case: what was asked, who acts, what is promised, what happened."""
