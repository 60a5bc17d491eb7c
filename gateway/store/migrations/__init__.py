"""How the database came to its present shape; run by `gateway.store.engine.migrate`."""
