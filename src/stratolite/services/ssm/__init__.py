"""Systems Manager, its Parameter Store: configuration by name, path and version."""

from stratolite.kernel import Service

from . import history, parameters, reading, resources, searching, tags, windows

service = Service("ssm", modules=[parameters, reading, searching, history, tags, windows, resources])
