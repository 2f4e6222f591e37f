"""`python -m stratolite` is `strato`."""

from stratolite.cli import main

main()
