"""Resources: functions and what belongs to them, as templates ask for them."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from stratolite.kernel import AwsError, Call, Made, NotReady, Wanted, resource
from stratolite.kernel.resources import Properties

SETTLE_S = 0.005
FILE_NAMES = {"nodejs": "index.js", "python": "index.py"}
"""What CloudFormation calls the file it makes of `Code.ZipFile`."""


DELETING_S = 0.1
"""How soon a mapping that is being deleted is looked at again."""


def _gone(error: AwsError) -> None:
    if error.code != "ResourceNotFoundException":
        raise error


def _tags(wanted: Wanted) -> dict[str, str]:
    own = {tag["Key"]: str(tag["Value"]) for tag in wanted.properties.get("Tags") or []}
    return {**wanted.tags, **own}


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _flag(value: Any) -> bool | None:
    return value.lower() == "true" if isinstance(value, str) else value


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _code(code: dict[str, Any], runtime: str) -> dict[str, Any]:
    if "ZipFile" not in code:
        return _given(
            S3Bucket=code.get("S3Bucket"), S3Key=code.get("S3Key"), S3ObjectVersion=code.get("S3ObjectVersion")
        )
    family = next((name for name in FILE_NAMES if runtime.startswith(name)), "python")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed time: the same text is the same package.
        archive.writestr(zipfile.ZipInfo(FILE_NAMES[family], (1980, 1, 1, 0, 0, 0)), code["ZipFile"])
    return {"ZipFile": packed.getvalue()}


@resource(
    "AWS::Lambda::Function",
    replaces={"FunctionName", "PackageType"},
    ignores={
        "CodeSigningConfigArn", "FileSystemConfigs", "ImageConfig", "KmsKeyArn", "VpcConfig", "RuntimeManagementConfig",
        "RecursiveLoop", "TenancyConfig", "DurableConfig", "CapacityProviderConfig", "FunctionScalingConfig",
        "PublishToLatestPublished",
    },
)  # fmt: skip
class Function:
    """`Ref` is the function's name."""

    @staticmethod
    async def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        name = properties.get("FunctionName") or wanted.physical_name(64)
        runtime = properties.get("Runtime") or ""
        try:
            await call.api("lambda").create_function(
                FunctionName=name,
                Code=_code(properties["Code"], runtime),
                Tags=_tags(wanted),
                PackageType=properties.get("PackageType"),
                Architectures=properties.get("Architectures"),
                **Function._configuration(properties),
            )
        except AwsError as error:
            if not (wanted.again and error.code == "ResourceConflictException"):
                raise
        Function._concurrency(call, name, properties)
        return Function._made(call, name)

    @staticmethod
    def _configuration(properties: Properties) -> dict[str, Any]:
        variables = (properties.get("Environment") or {}).get("Variables") or {}
        storage = properties.get("EphemeralStorage")
        return _given(
            Role=properties["Role"],
            Runtime=properties.get("Runtime"),
            Handler=properties.get("Handler"),
            Description=properties.get("Description"),
            Timeout=_number(properties.get("Timeout")),
            MemorySize=_number(properties.get("MemorySize")),
            Environment={"Variables": {name: _text(value) for name, value in variables.items()}} if variables else None,
            DeadLetterConfig=properties.get("DeadLetterConfig"),
            TracingConfig=properties.get("TracingConfig"),
            Layers=properties.get("Layers"),
            EphemeralStorage={"Size": int(storage["Size"])} if storage else None,
            SnapStart=properties.get("SnapStart"),
            LoggingConfig=properties.get("LoggingConfig"),
        )

    @staticmethod
    def _concurrency(call: Call, name: str, properties: Properties) -> None:
        reserved = _number(properties.get("ReservedConcurrentExecutions"))
        if reserved is not None:
            with call.write() as c:
                c.api("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)

    @staticmethod
    def _made(call: Call, name: str) -> Made:
        arn = call.api("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
        return Made(name, {"Arn": arn})

    @staticmethod
    async def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties, api = wanted.properties, call.api("lambda")
        code = _code(properties["Code"], properties.get("Runtime") or "")
        if code != _code(was["Code"], was.get("Runtime") or ""):
            await Function._settled(call, made_id)
            await api.update_function_code(FunctionName=made_id, **code)
        await Function._settled(call, made_id)
        # What a template no longer says goes back to its default.
        defaults = {"Description": "", "Timeout": 3, "MemorySize": 128, "Environment": {"Variables": {}}, "Layers": []}
        with call.write() as c:
            c.api("lambda").update_function_configuration(
                FunctionName=made_id, **{**defaults, **Function._configuration(properties)}
            )
            if "ReservedConcurrentExecutions" in was and "ReservedConcurrentExecutions" not in properties:
                c.api("lambda").delete_function_concurrency(FunctionName=made_id)
        Function._concurrency(call, made_id, properties)
        arn = Function._made(call, made_id).attributes["Arn"]
        tags = _tags(wanted)
        with call.write() as c:
            removed = [tag["Key"] for tag in was.get("Tags") or [] if tag["Key"] not in tags]
            if removed:
                c.api("lambda").untag_resource(Resource=arn, TagKeys=removed)
            if tags:
                c.api("lambda").tag_resource(Resource=arn, Tags=tags)
        return Function._made(call, made_id)

    @staticmethod
    async def _settled(call: Call, name: str) -> None:
        """Until what is under way has come into force."""
        while True:
            found = call.api("lambda").get_function_configuration(FunctionName=name)
            if found["State"] != "Pending" and found.get("LastUpdateStatus") != "InProgress":
                return
            await call.world.sleep(SETTLE_S)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("lambda").delete_function(FunctionName=made_id)
        except AwsError as error:
            _gone(error)


@resource("AWS::Lambda::Version", replaces={"*"}, ignores={"ProvisionedConcurrencyConfig", "RuntimePolicy"})
class Version:
    """`Ref` is the version's ARN."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        made = call.api("lambda").publish_version(
            FunctionName=properties["FunctionName"],
            **_given(CodeSha256=properties.get("CodeSha256"), Description=properties.get("Description")),
        )
        return Made(made["FunctionArn"], {"FunctionArn": made["FunctionArn"], "Version": made["Version"]})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("lambda").delete_function(FunctionName=made_id)
        except AwsError as error:
            _gone(error)


def _routing(properties: Properties) -> dict[str, Any] | None:
    routing = properties.get("RoutingConfig")
    if not routing:
        return None
    weights = {each["FunctionVersion"]: float(each["FunctionWeight"]) for each in routing["AdditionalVersionWeights"]}
    return {"AdditionalVersionWeights": weights}


@resource("AWS::Lambda::Alias", replaces={"FunctionName", "Name"}, ignores={"ProvisionedConcurrencyConfig"})
class Alias:
    """`Ref` is the alias's ARN."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        return Alias._write(call, "create_alias", wanted)

    @staticmethod
    def _write(call: Call, verb: str, wanted: Wanted) -> Made:
        properties = wanted.properties
        made = getattr(call.api("lambda"), verb)(
            FunctionName=properties["FunctionName"],
            Name=properties["Name"],
            FunctionVersion=str(properties["FunctionVersion"]),
            **_given(Description=properties.get("Description"), RoutingConfig=_routing(properties)),
        )
        return Made(made["AliasArn"], {"AliasArn": made["AliasArn"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return Alias._write(call, "update_alias", wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        function, _, name = made_id.rpartition(":")
        call.api("lambda").delete_alias(FunctionName=function, Name=name)


@resource("AWS::Lambda::Permission", replaces={"*"}, ignores={"InvokedViaFunctionUrl"})
class Permission:
    """`Ref` is the statement's id."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        statement = wanted.physical_name(100)
        call.api("lambda").add_permission(
            FunctionName=properties["FunctionName"],
            StatementId=statement,
            Action=properties["Action"],
            Principal=str(properties["Principal"]),
            **_given(
                SourceArn=properties.get("SourceArn"),
                SourceAccount=_account(properties.get("SourceAccount")),
                EventSourceToken=properties.get("EventSourceToken"),
                PrincipalOrgID=properties.get("PrincipalOrgID"),
                FunctionUrlAuthType=properties.get("FunctionUrlAuthType"),
            ),
        )
        return Made(statement, {"Id": statement})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("lambda").remove_permission(FunctionName=properties["FunctionName"], StatementId=made_id)
        except AwsError as error:
            _gone(error)


def _account(value: Any) -> str | None:
    """YAML reads an account without its leading zeros as a number."""
    return None if value is None else str(value).zfill(12)


@resource("AWS::Lambda::EventInvokeConfig", replaces={"FunctionName", "Qualifier"})
class EventInvokeConfig:
    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        function, qualifier = properties["FunctionName"], properties["Qualifier"]
        call.api("lambda").put_function_event_invoke_config(
            FunctionName=function,
            Qualifier=qualifier,
            **_given(
                MaximumRetryAttempts=_number(properties.get("MaximumRetryAttempts")),
                MaximumEventAgeInSeconds=_number(properties.get("MaximumEventAgeInSeconds")),
                DestinationConfig=properties.get("DestinationConfig"),
            ),
        )
        return Made(f"{function}|{qualifier}")

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return EventInvokeConfig.create(call, wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        function, _, qualifier = made_id.rpartition("|")
        try:
            call.api("lambda").delete_function_event_invoke_config(FunctionName=function, Qualifier=qualifier)
        except AwsError as error:
            _gone(error)


@resource(
    "AWS::Lambda::EventSourceMapping",
    replaces={"EventSourceArn", "StartingPosition", "StartingPositionTimestamp"},
    ignores={
        "AmazonManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "KmsKeyArn", "LoggingConfig",
        "MetricsConfig", "ProvisionedPollerConfig", "Queues", "SelfManagedEventSource",
        "SelfManagedKafkaEventSourceConfig", "SourceAccessConfigurations", "Topics", "TumblingWindowInSeconds",
    },
)  # fmt: skip
class EventSourceMapping:
    """`Ref` is the mapping's UUID."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        made = call.api("lambda").create_event_source_mapping(
            EventSourceArn=properties["EventSourceArn"],
            Tags=_tags(wanted),
            **_given(
                StartingPosition=properties.get("StartingPosition"),
                StartingPositionTimestamp=properties.get("StartingPositionTimestamp"),
            ),
            **EventSourceMapping._settings(properties),
        )
        return EventSourceMapping._made(made)

    @staticmethod
    def _settings(properties: Properties) -> dict[str, Any]:
        scaling = properties.get("ScalingConfig")
        patterns = properties.get("FilterCriteria")
        return _given(
            FunctionName=properties["FunctionName"],
            Enabled=_flag(properties.get("Enabled")),
            BatchSize=_number(properties.get("BatchSize")),
            FilterCriteria=patterns
            and {"Filters": [{"Pattern": _json(each.get("Pattern"))} for each in patterns.get("Filters") or []]},
            MaximumBatchingWindowInSeconds=_number(properties.get("MaximumBatchingWindowInSeconds")),
            DestinationConfig=properties.get("DestinationConfig"),
            MaximumRecordAgeInSeconds=_number(properties.get("MaximumRecordAgeInSeconds")),
            BisectBatchOnFunctionError=_flag(properties.get("BisectBatchOnFunctionError")),
            MaximumRetryAttempts=_number(properties.get("MaximumRetryAttempts")),
            ParallelizationFactor=_number(properties.get("ParallelizationFactor")),
            FunctionResponseTypes=properties.get("FunctionResponseTypes"),
            ScalingConfig=scaling and {"MaximumConcurrency": int(scaling["MaximumConcurrency"])},
        )

    @staticmethod
    def _made(shown: dict[str, Any]) -> Made:
        attributes = {"Id": shown["UUID"], "EventSourceMappingArn": shown["EventSourceMappingArn"]}
        return Made(shown["UUID"], attributes)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        settings = EventSourceMapping._settings(wanted.properties)
        if "FilterCriteria" in was and "FilterCriteria" not in settings:
            settings["FilterCriteria"] = {}
        return EventSourceMapping._made(call.api("lambda").update_event_source_mapping(UUID=made_id, **settings))

    @staticmethod
    async def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        """Deleted when it is gone, not when it begins to go: what it read from is deleted next."""
        mappings = call.api("lambda")
        try:
            if mappings.get_event_source_mapping(UUID=made_id)["State"] != "Deleting":
                mappings.delete_event_source_mapping(UUID=made_id)
            await call.committed()
            mappings.get_event_source_mapping(UUID=made_id)
        except AwsError as error:
            return _gone(error)
        raise NotReady(DELETING_S)


def _json(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


@resource("AWS::Lambda::LayerVersion", replaces={"*"})
class LayerVersion:
    """`Ref` is the layer version's ARN."""

    @staticmethod
    async def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        made = await call.api("lambda").publish_layer_version(
            LayerName=properties.get("LayerName") or wanted.physical_name(140),
            Content=_code(properties["Content"], ""),
            **_given(
                Description=properties.get("Description"),
                CompatibleRuntimes=properties.get("CompatibleRuntimes"),
                CompatibleArchitectures=properties.get("CompatibleArchitectures"),
                LicenseInfo=properties.get("LicenseInfo"),
            ),
        )
        return Made(made["LayerVersionArn"], {"LayerVersionArn": made["LayerVersionArn"]})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        layer, _, version = made_id.rpartition(":")
        call.api("lambda").delete_layer_version(LayerName=layer, VersionNumber=int(version))
