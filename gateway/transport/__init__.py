"""The hands that reach other computers: HTTP to the peers, rings to the workers."""
