"""Key helper for the tests, made after docs/key-helpers.md alone: keys are PEM files.

`test:NAME` is the key in NAME.pem, in the directory that KEY_HELPER_KEYS names. A file `pin` there makes a PIN
necessary; three wrong ones lock it, until the file `wrong` is removed. KEY_HELPER_FAULT is a way to do wrong.
"""

import base64
import json
import os
import pathlib
import sys
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, utils

KEYS = pathlib.Path(os.environ["KEY_HELPER_KEYS"])
FAULT = os.environ.get("KEY_HELPER_FAULT", "")
TYPES = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa4096": lambda: rsa.generate_private_key(65537, 4096),
    "ml-dsa-44": mldsa.MLDSA44PrivateKey.generate,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey.generate,
    "ml-dsa-87": mldsa.MLDSA87PrivateKey.generate,
}
HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


class Problem(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Helper:
    def __init__(self):
        self.is_open = not (KEYS / "pin").exists()

    def answer(self, request):
        name = request["do"]
        if name == "hello":
            version = 99 if FAULT == "version" else 1
            return {"version": version, "sessions": int(os.environ.get("KEY_HELPER_SESSIONS", "1"))}
        if FAULT in ("absent", "busy"):
            raise Problem(FAULT, f"the token is {FAULT}")
        if name == "login":
            self.log_in(request["pin"])
            return {}
        if name == "list":
            return {"keys": [self.listed(path) for path in sorted(KEYS.glob("*.pem"))]}
        path = KEYS / (request["key"].removeprefix("test:") + ".pem")
        if FAULT == "forgetful" and name == "public":
            raise Problem("pin-required", "a PIN is required")
        if name == "public":
            return {"spki": spki(self.key(path)), **({} if self.is_open else {"login": True})}
        if not self.is_open or FAULT == "forgetful-at-sign":
            raise Problem("pin-required", "a PIN is required")
        if name == "sign":
            return {"signature": base64.b64encode(self.sign(path, request)).decode()}
        if name == "generate":
            if request["key_type"] not in TYPES:
                raise Problem("unsupported", "this type of key is not supported")
            made = "p256" if FAULT == "other-type" else request["key_type"]
            return {"spki": self.keep(path, TYPES[made]())}
        if name == "import":
            if FAULT == "no-import":
                raise Problem("refused", "keys are generated here")
            der = base64.b64decode(request["pkcs8"])
            return {"spki": self.keep(path, serialization.load_der_private_key(der, None))}
        raise Problem("unsupported", f"{name} is not supported")

    def log_in(self, pin):
        wrong = KEYS / "wrong"
        count = len(wrong.read_bytes()) if wrong.exists() else 0
        if count >= 3:
            raise Problem("pin-locked", "the PIN is locked")
        if pin != (KEYS / "pin").read_text().strip():
            wrong.write_bytes(b"." * (count + 1))
            raise Problem("pin-wrong", "the PIN is wrong")
        wrong.unlink(missing_ok=True)
        self.is_open = True

    def key(self, path):
        if FAULT == "other-key":
            path = KEYS / "other.pem"
        if not path.exists():
            code = "key-not-found" if self.is_open else "pin-required"
            raise Problem(code, f"{path.stem} is not found")
        return serialization.load_pem_private_key(path.read_bytes(), None)

    def keep(self, path, key):
        if path.exists():
            raise Problem("key-exists", f"{path.stem} is there")
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(pem)
        return spki(key)

    def listed(self, path):
        return {"uri": f"test:{path.stem}", "key_type": None, "can_sign": True}

    def sign(self, path, request):
        if FAULT == "gate@sign":
            # Until the test has opened the other end of the pipe, and closed it.
            (KEYS / "gate").read_bytes()
        key = self.key(KEYS / "other.pem" if FAULT == "other-signature" else path)
        with open(KEYS / "signed", "a") as log:
            log.write(f"{path.stem} {request['algorithm']}\n")
        algorithm = request["algorithm"]
        if algorithm == "ed25519":
            return key.sign(base64.b64decode(request["message"]))
        if algorithm.startswith("ml-dsa-"):
            return key.sign_mu(base64.b64decode(request["mu"]))
        digest = base64.b64decode(request["digest"])
        prehashed = utils.Prehashed(HASHES[algorithm.rsplit("-")[-1]])
        if algorithm.startswith("ecdsa-"):
            return key.sign(digest, ec.ECDSA(prehashed))
        return key.sign(digest, padding.PKCS1v15(), prehashed)


def spki(key):
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


def meet(about):
    """Waits until two helpers are here."""
    (KEYS / f"{about}.{os.getpid()}").touch()
    while len(list(KEYS.glob(f"{about}.*"))) < 2:
        time.sleep(0.01)


def do_wrong(request):
    """Does what KEY_HELPER_FAULT says, if it is about this request."""
    fault, _, about = FAULT.partition("@")
    if about != request["do"]:
        return
    if fault == "hang":
        time.sleep(3600)
    elif fault == "meet":
        meet(about)
    elif fault == "end":
        sys.exit("the module is\x1b[31m broken")
    elif fault == "garbage":
        print("\x00\x1b[2Jgarbage", flush=True)
    elif fault == "long":
        sys.stdout.write("x" * 10_000_000)
        sys.stdout.flush()
    elif fault == "number":
        print('{"id": 12345}', flush=True)
    elif fault == "deaf":
        os.close(1)
        os.close(2)
        time.sleep(3600)
    elif fault == "nothing":
        print(json.dumps({"id": request["id"]}), flush=True)
        sys.exit()


def main():
    helper = Helper()
    for line in sys.stdin:
        request = json.loads(line)
        do_wrong(request)
        try:
            answer = helper.answer(request)
        except Problem as problem:
            answer = {"error": {"code": problem.code, "message": str(problem)}}
        print(json.dumps({"id": request["id"], **answer}), flush=True)


main()
