"""Many runs: takes axes, pairs or folders, gives jobs named by what goes into them, runs what is
missing in one process, several or a cluster, and reports.
"""
