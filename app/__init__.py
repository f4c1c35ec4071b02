"""tmf-listener: the one inbox for telecom order notifications."""
