"""Why a billed line costs what it costs: computed once more from what was kept of it."""
