"""The drivers' adapter: pages and state in Reflex, forms and webhooks in Starlette."""
