"""Any style in one pass: pictures as latents of an invertible transform, their statistics moved to
the style's, and back."""
