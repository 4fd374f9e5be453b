"""The install base: what each customer has, where, since when, under which promise."""
