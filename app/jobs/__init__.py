"""DOOR. Work that can wait: the queue in our own database, and the worker that serves it (DESIGN §6)."""
