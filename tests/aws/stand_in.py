"""The AWS CLI without AWS: it checks a command, and answers it with an example.

The real CLI runs up to the moment when it would send the request. The hooks of
its library then return an example of the response, made from the service model.

Checked:
* command, options, shorthand syntax, required parameters and members, types,
  and that files of file://, fileb://, `s3 cp` and `--body` exist (by the CLI);
* lengths, ranges, patterns and enums of the service model;
* that a value for an ARN is an ARN;
* that the S3 objects of trust stores and CRLs (elbv2), of the truststoreUri (API
  Gateway) and of `s3api head-object` were uploaded, and that those of elbv2
  are PEM of the right kind. Uploads are kept under ~/.aws-stand-in;
* `--query` and `--output` (by the CLI, on the example).

Not checked:
* rules that the service model does not state: pairs of parameters that exclude
  or need each other, paths of patch operations, versions of S3 objects, names
  of buckets, permissions, quotas;
* whether a resource exists, other than the S3 objects above;
* the content of certificates, keys, CRLs and policies;
* options that only version 2 of the CLI has: this is version 1;
* options of `aws s3` that are cut short, which this version takes.

The example has one entry in each list, the first value of each enum, and for
any other string the name of its member; no page token. The environment has no
effect: no configuration, no credentials. Sockets are blocked.
"""

import os
import pathlib
import re
import socket
import sys

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(
    AWS_DEFAULT_REGION="us-east-1",
    AWS_ACCESS_KEY_ID="example",
    AWS_SECRET_ACCESS_KEY="example",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
)

import awscli.clidriver  # noqa: E402
from awscli.botocore.awsrequest import AWSResponse  # noqa: E402
from awscli.botocore.exceptions import DataNotFoundError, ParamValidationError  # noqa: E402

UPLOADS = pathlib.Path.home() / ".aws-stand-in"

# Members of elbv2 that name an S3 object, and how the object begins.
OBJECTS = [
    (
        "CaCertificatesBundleS3Bucket",
        "CaCertificatesBundleS3Key",
        b"-----BEGIN CERTIFICATE-----\n",
    ),
    ("S3Bucket", "S3Key", b"-----BEGIN X509 CRL-----\n"),
]


def blocked(*_):
    raise OSError("the stand-in for the AWS CLI opens no connections")


def complaints(shape, value, name):
    """Yields what the service model does not allow of a value."""
    if shape.type_name == "structure":
        for member, inner in value.items():
            if member in shape.members:
                yield from complaints(shape.members[member], inner, member)
        yield from missing_objects(value)
    elif shape.type_name == "list":
        yield from out_of_bounds(shape, len(value), name)
        for inner in value:
            yield from complaints(shape.member, inner, name)
    elif shape.type_name == "map":
        for inner in value.values():
            yield from complaints(shape.value, inner, name)
    elif shape.type_name == "string":
        yield from out_of_bounds(shape, len(value), name)
        if not fits(shape.metadata.get("pattern"), value):
            yield f"{name}: {value!r} does not match {shape.metadata['pattern']}"
        if shape.enum and value not in shape.enum:
            yield f"{name}: {value!r} is none of {', '.join(shape.enum)}"
        if name.lower().endswith("arn") and not value.startswith("arn:aws"):
            yield f"{name}: {value!r} is not an ARN"
        if name.lower() == "truststoreuri":
            if not re.match(r"s3://[^/]+/.", value):
                yield f"{name}: {value!r} is not the URI of an S3 object"
            elif not (UPLOADS / value[len("s3://") :]).is_file():
                yield f"{name}: {value} was not uploaded"
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from out_of_bounds(shape, value, name)
    elif shape.type_name == "blob" and isinstance(value, (bytes, str)):
        yield from out_of_bounds(shape, len(value), name)


def out_of_bounds(shape, number, name):
    # Models have some bounds as text.
    least = float(shape.metadata.get("min", "-inf"))
    most = float(shape.metadata.get("max", "inf"))
    if not least <= number <= most:
        yield f"{name}: {number} is not between {least:g} and {most:g}"


def fits(pattern, value):
    try:
        return pattern is None or re.search(pattern, value)
    except re.error:
        # A pattern for Java that Python cannot read.
        return True


def missing_objects(value):
    for bucket, key, start in OBJECTS:
        if bucket in value and key in value:
            path = f"{value[bucket]}/{value[key]}"
            if not (UPLOADS / path).is_file():
                yield f"{key}: s3://{path} was not uploaded"
            elif not (UPLOADS / path).read_bytes().startswith(start):
                yield f"{key}: s3://{path} does not begin with {start.decode().strip()}"


def check(params, model, **_):
    """Refuses parameters before the CLI sends them."""
    found = list(complaints(model.input_shape, params, "")) if model.input_shape else []
    if model.service_model.service_name == "s3" and model.name == "HeadObject":
        path = f"{params['Bucket']}/{params['Key']}"
        if not (UPLOADS / path).is_file():
            found.append(f"s3://{path} was not uploaded")
    if found:
        raise ParamValidationError(report="\n".join(found))


def keep(params, **_):
    """Keeps what is uploaded."""
    path = UPLOADS / params["Bucket"] / params["Key"]
    path.parent.mkdir(parents=True, exist_ok=True)
    body = params.get("Body", b"")
    if hasattr(body, "read"):
        content = body.read()
        body.seek(0)
    else:
        content = body
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def example(shape, name, service, tokens=()):
    """Returns an example of a response."""
    if shape.type_name == "structure":
        return {
            member: example(inner, member, service)
            for member, inner in shape.members.items()
            if member not in tokens
        }
    if shape.type_name == "list":
        return [example(shape.member, name, service)]
    if shape.type_name == "map":
        return {"key": example(shape.value, name, service)}
    if shape.type_name == "string":
        if shape.enum:
            return shape.enum[0]
        if name.lower().endswith("arn"):
            return f"arn:aws:{service}:us-east-1:123456789012:{name}/0123456789abcdef"
        return name
    if shape.type_name in ("integer", "long", "float", "double"):
        return int(shape.metadata.get("min", 0))
    if shape.type_name == "boolean":
        return False
    if shape.type_name == "timestamp":
        return "2027-01-31T00:00:00Z"
    return b""


def main():
    socket.socket.connect = socket.socket.connect_ex = blocked
    driver = awscli.clidriver.create_clidriver()

    def respond(model, params, **_):
        service = model.service_model.service_name
        try:
            pages = driver.session.get_paginator_model(service)
            tokens = re.findall(r"\w+", str(pages.get_paginator(model.name)["output_token"]))
        except (DataNotFoundError, ValueError):
            tokens = []
        shape = model.output_shape
        answer = example(shape, "", service, tokens) if shape else {}
        answer["ResponseMetadata"] = {"HTTPStatusCode": 200, "HTTPHeaders": {}}
        return AWSResponse(params["url"], 200, {}, None), answer

    driver.session.register("before-parameter-build", check)
    driver.session.register("before-parameter-build.s3.PutObject", keep)
    driver.session.register("before-call", respond)
    return driver.main()


if __name__ == "__main__":
    sys.exit(main())
