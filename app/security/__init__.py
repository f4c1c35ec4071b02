"""Who is it, and may it: tokens, keys, scopes, sources. The only room that imports jose."""
