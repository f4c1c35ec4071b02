"""What becomes of an order, told from the notifications about it; pure, no I/O.

`order` is the outcome, `lifecycles` the tables of states, `timeline` the fold. Not here: rows
(`store.orders`), who follows the log (`projector`), how any of it looks. Source: DESIGN §9, §13.
"""
