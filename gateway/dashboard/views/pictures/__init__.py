"""ECharts options of the first page and the wall, as plain values: what is drawn is decided and tested here."""
