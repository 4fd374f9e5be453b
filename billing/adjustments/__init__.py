"""What a document is adjusted by beside the prices of its charges: coupons and minimums."""
