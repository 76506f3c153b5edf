"""The read side: what pages and the panel show. Nothing here writes."""
