"""The drivers' door: pages and state in Reflex, forms and webhooks in Starlette."""
