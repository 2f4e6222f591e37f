"""DynamoDB Streams: what changed in a table, in order, for a day.

The records are DynamoDB's: it writes them, with the change itself, into tables this room reads.
"""

from stratolite.kernel import Service

from . import shards, streams

service = Service("dynamodbstreams", modules=[streams, shards])
