-- What is reserved in a region bounds all others there, at every invocation.
CREATE INDEX lambda_reserved ON lambda_function (account, region, reserved) WHERE reserved IS NOT NULL;
