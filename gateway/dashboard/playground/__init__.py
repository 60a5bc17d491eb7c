"""``/playground``: a message tried by the rules; needs no database, stores nothing."""
