"""The chargers' adapter: OCPP-J over websockets, translated into calls on the domain."""
