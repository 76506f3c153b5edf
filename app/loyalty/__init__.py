"""CONDUCTS. One verb a function.

Record verbs take ``session`` and ``now``: they never commit and never touch the network. Network verbs take ids and
an `AdminClient`, and open their own short transactions before and after the call.
"""
