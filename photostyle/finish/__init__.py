"""After the solves: takes the picture, brings it back to the photograph (projection, shadows, rare
colours), and gives it at the content's own size as a `Grade` renders it.
"""
