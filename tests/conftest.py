"""What all tests share."""

import torch

# Tests run side by side, one process a core; a second thread in each would only wait for the first of another.
torch.set_num_threads(1)
