"""Encoders: picture in, named feature maps out."""
