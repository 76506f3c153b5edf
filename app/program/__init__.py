"""DECIDES. Facts and settings in, decisions and words out.

Pure Python and pydantic: no Flask, no SQLAlchemy, no network, no clock. Every rule here can be tested with literals.
"""
