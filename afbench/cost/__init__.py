"""What activations cost: time, memory and parameters, alone and in a network."""
