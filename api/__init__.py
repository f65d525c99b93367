"""The operators' REST API: an adapter that translates HTTP into calls on the domain, and nothing else."""
