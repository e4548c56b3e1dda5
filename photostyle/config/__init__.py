"""What a run can be told: the options of all stages as plain data, the presets, and their files
(TOML, JSON). Takes words, gives a checked `Config`; loads no torch.
"""
