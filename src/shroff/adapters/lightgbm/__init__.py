"""LightGBM: trains models, which are then plain data. Nothing that decides needs it."""
