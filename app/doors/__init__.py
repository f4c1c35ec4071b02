"""What every door shares: errors turned into answers (`problems`), and who is asking (`deps`)."""
