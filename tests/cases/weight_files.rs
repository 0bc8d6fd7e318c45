//! Files of weights: PyTorch, safetensors, npz.
