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

Keys of KMS are real ones, as far as openssl has their type: `create-key` makes
a file under ~/.aws-stand-in/kms, `create-alias` names it, `get-public-key` and
`sign` use it. A key that does not exist, an algorithm that does not fit the key
and a digest of the wrong length are refused with the error of the service.

Not checked:
* rules that the service model does not state: pairs of parameters that exclude
  or need each other, paths of patch operations, versions of S3 objects, names
  of buckets, permissions, quotas;
* whether a resource exists, other than the S3 objects and keys above;
* the content of certificates, keys, CRLs and policies;
* options that only version 2 of the CLI has: this is version 1;
* options of `aws s3` that are cut short, which this version takes.

The example has one entry in each list, the first value of each enum, and for
any other string the name of its member; no page token. The environment has no
effect: no configuration, no credentials. Sockets are blocked.
"""

import base64
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import uuid

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
KEYS = UPLOADS / "kms"

# Key specs of KMS: how openssl makes such a key, the bytes of the digest that it
# signs with each algorithm, and how openssl signs that.
EC = "-algorithm EC -pkeyopt ec_param_enc:named_curve -pkeyopt ec_paramgen_curve:"
RSA = "-algorithm RSA -pkeyopt rsa_keygen_bits:"
PKCS1 = "-pkeyopt rsa_padding_mode:pkcs1 -pkeyopt digest:"
RSA_ALGORITHMS = {
    "RSASSA_PKCS1_V1_5_SHA_256": (32, PKCS1 + "sha256"),
    "RSASSA_PKCS1_V1_5_SHA_384": (48, PKCS1 + "sha384"),
    "RSASSA_PKCS1_V1_5_SHA_512": (64, PKCS1 + "sha512"),
}
KEY_SPECS = {
    "ECC_NIST_P256": (EC + "P-256", {"ECDSA_SHA_256": (32, "-pkeyopt digest:sha256")}),
    "ECC_NIST_P384": (EC + "P-384", {"ECDSA_SHA_384": (48, "-pkeyopt digest:sha384")}),
    "ECC_NIST_P521": (EC + "P-521", {"ECDSA_SHA_512": (64, "-pkeyopt digest:sha512")}),
    "RSA_2048": (RSA + "2048", RSA_ALGORITHMS),
    "RSA_3072": (RSA + "3072", RSA_ALGORITHMS),
    "RSA_4096": (RSA + "4096", RSA_ALGORITHMS),
}

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


class KmsError(Exception):
    """An error of KMS, by its code in the service model."""


def openssl(line, **options):
    run = subprocess.run(["openssl", *line.split(" ")], capture_output=True, check=True, **options)
    return run.stdout


def kms_key(name):
    """Returns the file of a key, by its ID, ARN, alias or alias ARN."""
    name = re.sub(r"^arn:aws:kms:[^:]+:\d{12}:(key/)?", "", name)
    if name.startswith("alias/"):
        alias = KEYS / name.replace("/", ".")
        name = alias.read_text() if alias.is_file() else ""
    path = KEYS / f"{name}.pem"
    if not re.fullmatch(r"[0-9a-f-]{36}", name) or not path.is_file():
        raise KmsError("NotFoundException", "the key does not exist")
    return path


def kms_answer(operation, params, answer):
    """Completes the example of a response of KMS with what depends on keys."""
    if operation == "CreateKey":
        spec = params.get("KeySpec", "SYMMETRIC_DEFAULT")
        name = str(uuid.uuid4())
        answer["KeyMetadata"].update(KeyId=name, Arn=arn_of(name), KeySpec=spec)
        if spec in KEY_SPECS and params.get("KeyUsage") == "SIGN_VERIFY":
            KEYS.mkdir(parents=True, exist_ok=True)
            (KEYS / f"{name}.spec").write_text(spec)
            openssl(f"genpkey {KEY_SPECS[spec][0]} -out {name}.pem", cwd=KEYS)
    elif operation == "CreateAlias":
        path = kms_key(params["TargetKeyId"])
        alias = KEYS / params["AliasName"].replace("/", ".")
        if alias.exists():
            raise KmsError("AlreadyExistsException", "the alias exists")
        alias.write_text(path.stem)
    elif operation in ("GetPublicKey", "Sign"):
        path = kms_key(params["KeyId"])
        spec = path.with_suffix(".spec").read_text()
        algorithms = KEY_SPECS[spec][1]
        answer.update(KeyId=arn_of(path.stem))
        if operation == "GetPublicKey":
            spki = openssl(f"pkey -in {path.name} -pubout -outform DER", cwd=KEYS)
            answer.update(PublicKey=base64.b64encode(spki).decode(), KeySpec=spec)
            answer.update(KeyUsage="SIGN_VERIFY", SigningAlgorithms=list(algorithms))
            return
        algorithm, message = params["SigningAlgorithm"], base64.b64decode(params["Message"])
        if algorithm not in algorithms:
            raise KmsError("InvalidKeyUsageException", f"{spec} keys do not sign with {algorithm}")
        length, options = algorithms[algorithm]
        if params.get("MessageType") != "DIGEST" or len(message) != length:
            raise KmsError("ValidationException", f"the stand-in signs digests of {length} bytes")
        signature = openssl(f"pkeyutl -sign -inkey {path.name} {options}", cwd=KEYS, input=message)
        answer.update(Signature=base64.b64encode(signature).decode(), SigningAlgorithm=algorithm)


def arn_of(key):
    return f"arn:aws:kms:us-east-1:123456789012:key/{key}"


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
        status = 200
        if service == "kms":
            try:
                kms_answer(model.name, json.loads(params["body"]), answer)
            except KmsError as error:
                status = 400
                answer = {"Error": dict(zip(("Code", "Message"), error.args))}
        answer["ResponseMetadata"] = {"HTTPStatusCode": status, "HTTPHeaders": {}}
        return AWSResponse(params["url"], status, {}, None), answer

    driver.session.register("before-parameter-build", check)
    driver.session.register("before-parameter-build.s3.PutObject", keep)
    driver.session.register("before-call", respond)
    return driver.main()


if __name__ == "__main__":
    sys.exit(main())
