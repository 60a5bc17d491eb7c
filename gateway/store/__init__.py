"""PostgreSQL: the record and the queue. SQLAlchemy 2 Core on asyncpg."""
