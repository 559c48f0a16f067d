"""Benchmarks of glassbench, run by asv."""
