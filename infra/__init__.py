"""The AWS stack, a Pulumi program; a component is a concern, not a resource."""
