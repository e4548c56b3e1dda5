"""The network in place of the solves: trained once per style under the same objective, applied to
pictures and films in milliseconds.
"""
