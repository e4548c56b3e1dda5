"""Feed-forward stylisation: a network trained once per style, applied in milliseconds."""
