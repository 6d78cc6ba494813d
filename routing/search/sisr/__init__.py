"""The compiled ruin-and-recreate core: slack induction by string removals on flat integer arrays."""
