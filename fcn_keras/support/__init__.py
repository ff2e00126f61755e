"""What no lecture speaks of: arguments, pictures, labels, files, memory, progress."""
