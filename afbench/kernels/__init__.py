"""The mathematics that must be fast or exact, apart from the activations that use it."""
