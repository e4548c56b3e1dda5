"""Look-up tables in the files of other programs, one file a format: each gives a `Lut` for a path,
writes one to a path, or both; `registry` knows them all by their suffixes.
"""
