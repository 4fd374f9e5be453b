"""Tests of test clocks."""
