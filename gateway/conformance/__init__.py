"""The laws as a library, and stand-ins for the regional systems."""
