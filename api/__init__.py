"""The operators' REST API: one of the doors of the house. It translates HTTP into calls on the domain, nothing else."""
