"""The documents' site: gathers the pages, writes the reference from the code, and builds it offline."""
