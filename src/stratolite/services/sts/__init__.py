"""STS: who asks, and credentials to ask as somebody else."""

from stratolite.kernel import Service

from . import identity, sessions

service = Service("sts", modules=[identity, sessions])
