"""Commands of taxes."""
