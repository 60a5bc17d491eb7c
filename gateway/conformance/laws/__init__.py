"""The laws a region has to hold, one file per subject, listed in `gateway.conformance.laws.catalogue`."""
