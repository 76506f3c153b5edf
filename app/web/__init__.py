"""DOOR. HTTP in: webhooks, the storefront's proxy, the merchant's admin, install, health. Thin on purpose."""
