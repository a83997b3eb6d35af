"""Drills: failovers that are rehearsed and measured, so that the real one holds no surprise."""
