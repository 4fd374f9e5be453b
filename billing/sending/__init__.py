"""What becomes of invoices once they are final: documents made, kept, mailed; who could not be."""
