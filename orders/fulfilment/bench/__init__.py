"""The bench of fulfilment: orders of automatic tasks beside empty messages, and laying plans."""
