"""The verbs: receive, translate, drain, track, intervene. Verbs meet in the database, not in each other."""
