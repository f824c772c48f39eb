"""The only SQL: every query of Ringback, bound to its account, for SQLite and PostgreSQL."""
