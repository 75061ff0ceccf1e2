"""HTTP: the gateway, public and hot. It speaks the contract on the wire and asks the world through ports."""
