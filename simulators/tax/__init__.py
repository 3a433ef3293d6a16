"""A stand-in for a service of tax invoices (数电票): a program of its own, with its own book of invoices."""
