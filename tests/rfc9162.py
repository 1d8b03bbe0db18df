"""The tree and the checks of proofs, written from RFC 9162, 2.1.1 to 2.1.4, by themselves."""

from hashlib import sha256


def tree_hash(entries: list[bytes]) -> bytes:
    """2.1.1."""
    if not entries:
        return sha256().digest()
    if len(entries) == 1:
        return sha256(bytes([0]) + entries[0]).digest()
    k = 1
    while 2 * k < len(entries):
        k *= 2
    return sha256(bytes([1]) + tree_hash(entries[:k]) + tree_hash(entries[k:])).digest()


def proves_inclusion(index: int, size: int, leaf: bytes, path: list[bytes], root: bytes) -> bool:
    """2.1.3.2."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            r = sha256(bytes([1]) + p + r).digest()
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            r = sha256(bytes([1]) + r + p).digest()
        fn, sn = fn // 2, sn // 2
    return sn == 0 and r == root


def proves_consistency(
    first: int, second: int, path: list[bytes], first_root: bytes, second_root: bytes
) -> bool:
    """2.1.4.2, for 0 < first < second; an empty path proves only what is equal, or was empty."""
    if first == second:
        return not path and first_root == second_root
    if first == 0:
        return not path and first_root == sha256().digest()
    if not path:
        return False
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    fn, sn = first - 1, second - 1
    while fn % 2 == 1:
        fn, sn = fn // 2, sn // 2
    fr = sr = steps[0]
    for c in steps[1:]:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            fr = sha256(bytes([1]) + c + fr).digest()
            sr = sha256(bytes([1]) + c + sr).digest()
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            sr = sha256(bytes([1]) + sr + c).digest()
        fn, sn = fn // 2, sn // 2
    return fr == first_root and sr == second_root and sn == 0
