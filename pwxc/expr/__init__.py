"""Expressions: reading, checking, folding and evaluating; how a dialect writes them is the dialect's own business."""
