"""Bytes to trees and back (pure)."""
