"""What Shopify says of its records in REST shape: the bodies of webhooks."""
