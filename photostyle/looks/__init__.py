"""Looks that are kept: the smooth colour maps of a transfer without the picture, in a file. Fitted
once, over one photograph or many, learnt from a before and an after, or taken from another
program's look-up table; applied to any picture, and given to other programs.
"""
