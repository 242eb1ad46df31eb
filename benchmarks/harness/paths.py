"""Where benchmarks read and write."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
MODELS = ROOT / "benchmarks" / "models"
"""Networks that several benchmarks use, trained once; git ignores them."""
PUBLISHED = ROOT / "benchmarks" / "published.toml"
