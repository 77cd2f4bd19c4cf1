"""Where data comes from: a seed, a library that packages it, or files on this machine. No import downloads any."""
