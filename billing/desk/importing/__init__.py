"""A telecom's subscribers from a file, each taken the whole way from quote to subscription."""
