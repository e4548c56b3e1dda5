"""Colour without an encoder: takes content, style and masks, gives the colour start that the solves
begin with, and keeps colours or luminance where the content's own are wanted.
"""
