"""What the door decides, pure: what a receipt is, who may submit what, how a shipment is named."""
