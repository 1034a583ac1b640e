"""Figures of the report, as specifications for plotly.js."""
