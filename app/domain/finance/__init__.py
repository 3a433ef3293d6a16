"""Finance (财务): the books proved and closed day by day, revenue reports, what the money was used for."""
