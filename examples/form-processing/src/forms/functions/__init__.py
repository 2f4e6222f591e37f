"""The Lambda functions: one module, one handler, one step of a submission's way."""
