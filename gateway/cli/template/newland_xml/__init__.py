"""What differs where a region speaks XML: laid over the template `newland` by `gateway.cli.scaffold`."""
