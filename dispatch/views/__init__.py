"""Views: what a page or a resource shows; one question, one typed result."""
