"""What each page shows: one module an audience, one question a function, the viewer first."""
