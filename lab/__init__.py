"""A local AWS: a model of the services that a failover touches, on real processes and real HTTP.

``python -m lab`` starts it; any unmodified boto3 client talks to it through ``AWS_ENDPOINT_URL``.
"""
