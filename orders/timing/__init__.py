"""Time: forecasts, clocks of tasks, jeopardy and what follows from it."""
