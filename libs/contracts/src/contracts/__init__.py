"""Every message the services exchange over Kafka, and every text a person reads.

One module of payloads per owner and major version. Nothing here knows a service's insides.
"""
