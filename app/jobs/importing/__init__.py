"""Units, lots and bays of a whole city out of workbooks or CSV files: checked cell by cell, written all or nothing."""
