"""The version of oddgan."""

VERSION = "0.1.0"
