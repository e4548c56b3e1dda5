"""The commands as functions of Python: pictures in any form and options as keywords go in, results
that show and save themselves come out. The command line calls these; `photostyle` exports them.
"""
