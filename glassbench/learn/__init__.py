"""Stages that learn from atoms: splits, support vector regression and classification."""
