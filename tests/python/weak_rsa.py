"""RSA keys that should never be certified, and their signatures.

They are made here with plain numbers, so that each request is refused for its
key alone: its signature is as right as such a key can make it.
"""

import hashlib
import random

from cryptography.hazmat.primitives.asymmetric import rsa

SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


class CannotSign(Exception):
    """This message has no signature under this key."""


def padded(message, n):
    """EMSA-PKCS1-v1_5 of the message's SHA-256, as a number."""
    size = (n.bit_length() + 7) // 8
    digest = SHA256_DIGEST_INFO + hashlib.sha256(message).digest()
    filling = b"\xff" * (size - len(digest) - 3)
    return int.from_bytes(b"\x00\x01" + filling + b"\x00" + digest, "big")


class Key:
    def __init__(self, n, e, raw):
        self.n, self.e, self.raw = n, e, raw

    def sign(self, message):
        signature = self.raw(padded(message, self.n))
        return signature.to_bytes((self.n.bit_length() + 7) // 8, "big")


def good_primes():
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    return numbers.p, numbers.q


def exponent_1():
    """Every message is its own signature."""
    p, q = good_primes()
    return Key(p * q, 1, lambda m: m)


def exponent_2():
    """Rabin's scheme: a signature is a square root, which one message in four has."""
    while True:
        p, q = good_primes()
        if p % 4 == 3 and q % 4 == 3:
            break
    n = p * q

    def square_root(m):
        root_p, root_q = pow(m, (p + 1) // 4, p), pow(m, (q + 1) // 4, q)
        root = (root_p + p * (pow(p, -1, q) * (root_q - root_p) % q)) % n
        if root * root % n != m:
            raise CannotSign
        return root

    return Key(n, 2, square_root)


def roca():
    """CVE-2017-15361: both primes are k·M + (65537^a mod M), M the product of 126 primes."""
    product = 1
    for small in first_primes(126):
        product *= small

    def roca_prime():
        low, high = (3 << 1022) // product + 1, (1 << 1024) // product
        while True:
            power = pow(65537, random.getrandbits(256), product)
            candidate = random.randrange(low, high) * product + power
            if candidate.bit_length() == 1024 and pow(2, candidate - 1, candidate) == 1:
                return candidate

    p, q = roca_prime(), roca_prime()
    d = pow(65537, -1, (p - 1) * (q - 1))
    return Key(p * q, 65537, lambda m: pow(m, d, p * q))


def first_primes(count):
    primes = []
    candidate = 2
    while len(primes) < count:
        if all(candidate % prime for prime in primes):
            primes.append(candidate)
        candidate += 1
    return primes
