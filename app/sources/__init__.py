"""How an operator SPEAKS: one folder a kind, found by discovery. No I/O: bytes in, notifications out."""
