"""Looks that are kept: the smooth colour maps of a transfer without the picture, in a file. Fitted
once, over one photograph or many, or learnt from a before and an after; applied to any picture."""
