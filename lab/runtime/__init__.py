"""The model's ports on real processes, sockets and HTTP, in one event loop."""
