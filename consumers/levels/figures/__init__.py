"""What is inside the emblems, a module each."""
