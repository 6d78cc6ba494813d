"""Path: a project's approvals as a graph, its schedule, its edits and its drawing. Pure."""
