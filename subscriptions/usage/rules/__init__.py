"""Pure rules of usage: how an event is read and judged, and what totals are kept apart by."""
