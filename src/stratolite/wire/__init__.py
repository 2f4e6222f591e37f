"""Wire: the AWS protocols in both directions, from botocore's models; nobody else parses or prints a request."""
