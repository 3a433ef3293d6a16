"""A stand-in for the platform of fiscal e-bills (财政电子票据): a program of its own, with its own book of bills."""
