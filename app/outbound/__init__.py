"""The only room that leaves the machine by HTTP."""
