"""The command line `mega`."""
