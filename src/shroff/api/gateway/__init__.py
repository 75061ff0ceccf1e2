"""The public gateway: transactions in, receipts and decisions out.

The desk answers; `application` puts it behind Granian. Importing this package alone imports no server.
"""
