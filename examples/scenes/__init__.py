"""Building blocks of the two rendered example scenes: geometry, materials, light and camera."""
