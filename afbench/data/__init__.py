"""Where data comes from: drawn from a seed, or packaged with a library. Nothing is downloaded on import."""
