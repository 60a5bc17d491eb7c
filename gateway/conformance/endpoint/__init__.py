"""Plays the gateway against an integrator's own live server, and says where it breaks the contract."""
