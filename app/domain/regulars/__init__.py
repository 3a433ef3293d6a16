"""Regular places: a bay each work night of a month for residents, drawn by lot when more want one than there are."""
