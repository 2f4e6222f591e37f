"""CloudFormation: stacks of resources, made, changed and removed as one."""

from stratolite.kernel import Service

from . import answers, bodies, changesets, engine, events, exports, inventory, policies, resources, stacks

service = Service(
    "cloudformation",
    modules=[stacks, changesets, events, inventory, bodies, exports, policies, engine, resources, answers],
)
