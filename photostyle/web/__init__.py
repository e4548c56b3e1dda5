"""The page, `photostyle serve`: a small server that holds sessions, hands work to two worker
processes, and tells pages of it by events. It takes requests and gives files and JSON; everything
that is computed is a call of `api/` or the library in a worker.
"""
