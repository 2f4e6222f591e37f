"""Traffic: a day in the life of the application, played against a deployed stack, and the books kept on it."""
