"""What runs inside the sandboxed processes: programs for other interpreters (Python 3.9 and later), never imported by the server."""
