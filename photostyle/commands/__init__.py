"""The commands of the command line, a module each; none imports torch until it runs."""
