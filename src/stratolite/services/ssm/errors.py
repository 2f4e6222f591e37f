# ruff: noqa: E501  (AWS's sentences, one to a line)
"""Errors: Parameter Store's words."""

from stratolite.kernel import AwsError


class ParameterNotFound(AwsError):  # AWS says no more than that
    """"""


class ParameterAlreadyExists(AwsError):
    """The parameter already exists. To overwrite this value, set the overwrite option in the request to true."""


class ParameterVersionNotFound(AwsError):
    """Systems Manager could not find version {version} of {name}. Verify the version and try again."""


class ParameterVersionLabelLimitExceeded(AwsError):
    """A parameter version can have maximum 10 labels.Move one or more labels to another version and try again."""


class ParameterMaxVersionLimitExceeded(AwsError):
    """You attempted to create a new version of {name} by calling the PutParameter API with the overwrite flag. Version {version}, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again."""


class ParameterPatternMismatchException(AwsError):
    """Parameter value, cannot be validated against allowedPattern: {pattern}"""


class InvalidAllowedPatternException(AwsError):
    """The request does not meet the regular expression requirement."""


class HierarchyTypeMismatchException(AwsError):
    """Parameter Store does not support changing a parameter type in a hierarchy. For example, you can't change a parameter from a String type to a SecureString type. You must create a new, unique parameter."""


class HierarchyLevelLimitExceededException(AwsError):
    """Hierarchies can have a maximum of 15 levels. Try again using fewer levels."""


class InvalidKeyId(AwsError):
    """The query key ID isn't valid."""


class InvalidFilterKey(AwsError):
    """The following filter key is not valid: {key}. Valid filter keys include: [{valid}]."""


class InvalidFilterOption(AwsError):
    """The following filter option is not valid: {option}. Valid options include: [{valid}]."""


class InvalidFilterValue(AwsError):
    """The filter value isn't valid. Verify the value and try again."""


class InvalidNextToken(AwsError):
    """The specified token isn't valid."""


class InvalidPolicyTypeException(AwsError):
    """The policy type isn't supported. Parameter Store supports the following policy types: Expiration, ExpirationNotification, and NoChangeNotification."""


class InvalidPolicyAttributeException(AwsError):
    """A policy attribute or its value is invalid."""


class IncompatiblePolicyException(AwsError):
    """There is a conflict in the policies specified for this parameter. You can't, for example, specify two Expiration policies for a parameter. Review your policies, and try again."""


class InvalidResourceId(AwsError):
    """The resource ID "{id}" is not valid. Verify the ID and try again."""


class InvalidResourceType(AwsError):
    """The resource type isn't valid. For example, if you are attempting to tag an EC2 instance, the instance must be a registered managed node."""


class TooManyTagsError(AwsError):
    """The Targets parameter includes too many tags. Remove one or more tags and try the command again."""


class DoesNotExistException(AwsError):
    """Maintenance window {window} does not exist"""


class AccessDeniedException(AwsError):
    """No access to reserved parameter name: {name}."""


class ValidationException(AwsError):
    """Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_"""
