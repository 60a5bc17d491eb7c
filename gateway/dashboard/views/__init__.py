"""What the pages show, put together from the stores and said in words: no HTML and no HTTP in here."""
