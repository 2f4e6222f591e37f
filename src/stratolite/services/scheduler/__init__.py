"""EventBridge Scheduler: schedules that invoke a target once or again and again."""

from stratolite.kernel import Service

from . import groups, invocations, resources, schedules, target

service = Service("scheduler", modules=[groups, schedules, invocations, target, resources])
