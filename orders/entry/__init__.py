"""Orders without a quote: what the order team enters and REST clients create."""
