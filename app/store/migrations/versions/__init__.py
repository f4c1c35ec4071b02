"""The steps, oldest first; one is never changed once it was released."""
