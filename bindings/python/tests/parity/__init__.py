"""lossfn beside the libraries that have the same losses, through those libraries themselves.

Each file is one library, a peer, and is skipped where that is not installed. JAX, Optax, Keras and
scikit-learn install quickly:

    pip install lossfn pytest jax optax keras scikit-learn && pytest tests/parity

PyTorch is large, and has its command of its own (its build for the CPU is enough):

    pip install lossfn pytest torch && pytest tests/parity/test_parity_torch.py

`cases.py` says what is compared, and how near is near enough.
"""
