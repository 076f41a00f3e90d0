"""Inputs, orders of events and settings that try to break the promises."""
