"""Stage 4: bill runs, invoices, payments, the ledger, and the check of every promise."""
