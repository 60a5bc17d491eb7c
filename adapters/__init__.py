"""One folder per region: its wire format, its field maps, its quirks."""
