"""What happens to orders: one verb a file, each with the money effects Shopify would make."""
