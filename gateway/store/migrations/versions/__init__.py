"""One file per change of shape, numbered."""
