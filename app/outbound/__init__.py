"""The only room that leaves the machine: by HTTP, and by mail."""
