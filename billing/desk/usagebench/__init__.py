"""How fast usage comes in beside a bare COPY, and how long a month of it takes to draft."""
