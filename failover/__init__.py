"""Moves one API's traffic between AWS Lambda and ECS Fargate behind one ALB, and back.

The package needs boto3 alone: panel, command line and Lambda function run the same code.
"""
