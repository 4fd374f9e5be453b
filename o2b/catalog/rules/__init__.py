"""What makes a product's definition and a selection of products sound; pure, without a database."""
