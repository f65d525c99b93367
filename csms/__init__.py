"""The chargers' door: OCPP-J over websockets, translated into calls on the domain."""
