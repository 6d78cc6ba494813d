"""Pages: what people see, a folder for each kind of reader."""
