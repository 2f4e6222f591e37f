"""What runs inside the sandboxed processes, in interpreters from 3.9 on; the server imports none of it."""
