"""Films through libav (PyAV): the frames of a file as R'G'B' arrays, changed by anything that takes
an array, and written beside all else that the file holds; and the shots that a film is cut into.
"""
