"""Where and how a run takes place: the device, the memory that runs share, and who is told of its
progress. Knows nothing of pictures.
"""
