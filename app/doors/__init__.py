"""What every door shares, so that JSON and pages are told and do the same.

Errors as answers (`problems`), who is asking (`deps`), what may be asked for (`filters`, `paging`),
what is given out (`lists`, `stories`, `exports`, `live`), and the acts, each with its line in the
audit trail (`acts`, `outbox`, `work`).
"""
