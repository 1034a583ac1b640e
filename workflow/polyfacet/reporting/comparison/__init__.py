"""Methods side by side on the same splits of tables: their scores, and what follows from them."""
