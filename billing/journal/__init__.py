"""The journal as finance reads it, and the exchange rates that its own-currency side takes."""
