"""Discounts: their terms (``records``), the codes that unlock them (``codes``), and what both do to a cart.

A discount is one record however many codes it has; codes are rows of their own. ``offers`` says which discounts a cart
is offered and why a code does nothing, ``combining`` which of them go together, ``taking`` what each takes off.
"""
