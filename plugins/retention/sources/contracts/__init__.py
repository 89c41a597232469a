"""What the warehouse depends on in a vendor's document; everything else may come and go."""
