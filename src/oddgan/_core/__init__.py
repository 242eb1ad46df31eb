"""What every layer may use: errors, names, files, parts. Imports no torch."""
