"""The server: sockets in front of the cloud."""
