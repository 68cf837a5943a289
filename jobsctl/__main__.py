"""`python -m jobsctl`."""

from jobsctl import main

main()
