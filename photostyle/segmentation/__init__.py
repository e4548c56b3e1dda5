"""Segmentation: paired soft masks for content and style, whatever their origin."""
