"""What an AWS account needs: CloudFormation templates, and the policies in them made of the product's own table."""
