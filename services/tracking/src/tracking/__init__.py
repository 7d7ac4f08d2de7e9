"""One timeline per shipment, for the support desk."""
