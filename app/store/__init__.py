"""The only SQL: tables, the one writer, and every question asked of the log."""
