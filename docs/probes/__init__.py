"""Probes: small workflows, each of which shows one construct of a system's language.

Each module gives `probes()`. A probe is a pair of texts, with the construct and without it; what the report of the one
says and that of the other does not is what becomes of the construct.
"""
