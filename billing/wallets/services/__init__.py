"""What one may do with prepaid money: grant it by hand, set a wallet, settle, let lapse."""
