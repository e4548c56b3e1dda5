"""The second stage: takes content and style, gives the scene with paired soft masks (K×H×W that
sum to 1), whatever their origin: label pictures, a class network, clustering or none.
"""
