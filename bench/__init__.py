"""Measurements, as ratios against references in the same run. Run by `make bench`."""
