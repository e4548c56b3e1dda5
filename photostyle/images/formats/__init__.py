"""Picture files, a file a format: each module reads a file's bytes into a `Stored` or writes a
picture's samples and what travels with them, as its line in `table` says. What is in a file is told
by its content, never by its name.
"""
