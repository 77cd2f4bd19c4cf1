"""Tables of results and of costs, in five formats."""
