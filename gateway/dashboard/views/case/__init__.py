"""One case as a page shows it: pure views of what is stored, without a template or a request."""
