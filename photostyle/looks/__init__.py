"""Looks that are kept: colour maps without the picture, taken from other programs' look-up tables
(.cube, HaldCLUT and others) and given to them.
"""
