"""The bench of PDFs: different one-page invoices, made by processes that have just begun."""
