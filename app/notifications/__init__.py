"""What a notification IS: flavours (wire), the canonical form, and their tables. Pure, no I/O."""
