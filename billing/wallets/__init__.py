"""Prepaid money: what comes in, in lots, what it pays, what is given back and what lapses."""
