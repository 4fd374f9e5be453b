"""What work needs before there is any: queues and their people, pools, rules; from a pack."""
