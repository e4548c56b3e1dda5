"""The solves: takes the colour start and the objective, moves a canvas (pixels, affine grid or
network), gives the picture and a `Step` for each iteration.
"""
