"""Webhooks: what is owed to the app (``outbox``), who sends it (``sender``), which fields it carries (``trimming``)."""
