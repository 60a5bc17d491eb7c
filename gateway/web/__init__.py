"""The doors for HTTP: thin handlers that turn requests into verbs and values into answers."""
