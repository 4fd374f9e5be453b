"""The benches of work: a world of open tasks, fifty clerks who claim, and the pages of queues."""
