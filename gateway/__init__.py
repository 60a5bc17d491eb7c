"""Tongban (通办): the gateway between regional social-insurance case systems."""
