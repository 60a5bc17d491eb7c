"""The verbs: what the gateway does with a message."""
