"""What goes over the wire: the bodies that the service takes and the answers that it gives, one model each.

The service checks by them, its OpenAPI document is made from them, and the client gives them back.
"""
