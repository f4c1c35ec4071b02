"""`listener notifications`: the log on the screen; read from the database itself."""

EXAMPLES = ("listener notifications",)
