"""What both sides mean, in neither side's words. Pure."""
