"""Letting one account reach a folder or a program: by an entry in access lists, where everybody else stays outside."""

from __future__ import annotations

import os
import struct
from pathlib import Path

READ, PASS = 4, 1

_NAME = "system.posix_acl_access"
_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")  # tag, rights, id
_OWNER, _USER, _GROUP, _MASK, _OTHERS = 1, 2, 4, 16, 32
_NOBODY = 0xFFFFFFFF


def let_in(uid: int, path: Path) -> None:
    """Let the account pass all folders above the path, and read what lies at it and below, if anything does."""
    place = path.resolve()
    for folder in place.parents:
        _allow(uid, folder, PASS)
    if place.is_file():
        _allow(uid, place, READ | PASS)
    elif place.is_dir() and place.stat().st_uid != uid:
        for below, _, files in os.walk(place):
            paths = [Path(below), *(Path(below, file) for file in files)]
            for each in paths:
                if not each.is_symlink():
                    _allow(uid, each, READ | PASS)


def _allow(uid: int, path: Path, rights: int) -> None:
    """Give the account these rights, unless everybody has them; to everybody where the file system keeps no lists."""
    mode = path.stat().st_mode
    rights &= mode >> 6  # what not even the owner may do makes no sense: reading a program, executing a text
    if mode & rights == rights:
        return
    try:
        os.setxattr(path, _NAME, _list_with(uid, path, rights))
    except (OSError, AttributeError):  # no such lists on this file system, or on this system
        path.chmod(mode | rights)


def _list_with(uid: int, path: Path, rights: int) -> bytes:
    """The access list of the path with one more entry."""
    mode = path.stat().st_mode
    try:
        entries = {(tag, who): has for tag, has, who in _ENTRY.iter_unpack(os.getxattr(path, _NAME)[len(_VERSION) :])}
    except OSError:  # none yet: the mode says it all
        rights_of = {_OWNER: mode >> 6 & 7, _GROUP: mode >> 3 & 7, _OTHERS: mode & 7}
        entries = {(tag, _NOBODY): has for tag, has in rights_of.items()}
    entries[_USER, uid] = entries.get((_USER, uid), 0) | rights
    entries[_MASK, _NOBODY] = entries.get((_MASK, _NOBODY), entries[_GROUP, _NOBODY]) | rights
    return _VERSION + b"".join(_ENTRY.pack(tag, has, who) for (tag, who), has in sorted(entries.items()))
