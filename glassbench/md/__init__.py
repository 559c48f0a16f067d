"""Stages that run molecular dynamics or read structures from files."""
