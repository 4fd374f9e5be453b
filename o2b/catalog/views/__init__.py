"""The pages of the catalog: tree, products, price books with their editor, simulator, contracts."""
