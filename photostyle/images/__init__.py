"""The first stage and the last: files in, `Photo`s out (an image, 1×3×H×W float32 sRGB in
[0, 1], and its metadata beside it), and back into files.
"""
