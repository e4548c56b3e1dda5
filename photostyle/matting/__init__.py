"""What is locally affine: takes the content, gives its Matting Laplacian, guided filters, bilateral
grids and the affine maps that carry a small result to any size.
"""
