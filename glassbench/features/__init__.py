"""Stages that describe the atoms of a glass."""
