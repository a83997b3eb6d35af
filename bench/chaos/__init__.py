"""The fault matrix: every scenario with every fault, on the real product over the real lab (`make chaos`)."""
