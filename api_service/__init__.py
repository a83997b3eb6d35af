"""The sample API that is protected: one code base for AWS Lambda and for a container."""
