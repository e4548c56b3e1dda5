"""Encoders: take an image, give {layer name: 1×C×h×w feature map}; built in, from a file or fetched
from a server.
"""
