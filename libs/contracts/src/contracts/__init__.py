"""Every message that the services exchange over Kafka, and every text for people.

One module of payloads per owner and major version. Contracts do not depend on any service.
"""
