"""An order as a whole: begun on its day, held, resumed, cancelled, put before others."""
