"""What is minimised: takes the scene (content, style, masks) and an encoder, gives the objective,
image ↦ (total, {term: value}). The only place where terms are summed.
"""
