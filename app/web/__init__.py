"""The JSON doors: the Listener contract, tokens, health, and the admin interface."""
