"""What a customer may use now: asked by the customer's product at every log-in."""
