"""Products, price books and contracts in and out as sheets; an import makes drafts only."""
