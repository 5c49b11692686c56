"""Verifies a bundle as docs/bundle-format.md describes it, and was written from that page alone.

usage: verify_bundle.py BUNDLE FINGERPRINT      a tar or an unpacked folder; "none" leaves the signature unchecked

Exit status: 0 good, 1 refused (one reason on standard output), 2 usage. Needs Python 3 and openssl.
"""

import calendar
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import time

PATH = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*')
SUMS, SIGNATURE, KEY, MANIFEST = 'SHA256SUMS', 'SHA256SUMS.sig', 'SHA256SUMS.pub', 'manifest.json'
LIMITS = {MANIFEST: 1048576, SUMS: 167000, SIGNATURE: 72, KEY: 178}
P256 = bytes.fromhex('3059301306072a8648ce3d020106082a8648ce3d030107034200')


class Refused(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Refused(why)


class Entry:
    def __init__(self, mode, size, mtime, read):
        self.mode, self.size, self.mtime, self.read = mode, size, mtime, read


def header(path, mode, size, mtime):
    block = bytearray(512)
    block[:len(path)] = path.encode()
    for at, digits, value in ((100, 6, mode), (108, 6, 0), (116, 6, 0), (136, 11, mtime), (329, 6, 0), (337, 6, 0)):
        block[at:at + digits + 1] = b'%0*o ' % (digits, value)
    if size <= 0o77777777777:
        block[124:136] = b'%011o ' % size
    else:
        block[124:136] = b'\x80' + size.to_bytes(11, 'big')
    block[156:157] = b'0'
    block[257:265] = b'ustar\x0000'
    block[148:156] = b' ' * 8
    block[148:156] = b'%06o \x00' % sum(block)
    return bytes(block)


def octal(block, at, digits):
    text = block[at:at + digits]
    need(re.fullmatch(b'[0-7]+', text), 'a number of a header')
    return int(text, 8)


def from_archive(name):
    files, place, total, before = {}, 0, os.path.getsize(name), None
    stream = open(name, 'rb')

    def reader(start, size):
        def read():
            stream.seek(start)
            return stream.read(size)
        return read

    while True:
        stream.seek(place)
        block = stream.read(512)
        need(len(block) == 512, 'the archive ends early')
        if block == bytes(512):
            need(total - place == 1024, 'the archive does not end where it must')
            need(stream.read() == bytes(512), 'the end is not zeros')
            return files, set()
        path = block[:100].split(b'\0')[0].decode('latin1')
        if block[124] == 0x80:
            size = int.from_bytes(block[125:136], 'big')
            need(0o77777777777 < size < 10 ** 15, 'a size')
        else:
            size = octal(block, 124, 11)
        mode, mtime = octal(block, 100, 6), octal(block, 136, 11)
        need(path != '' and mode <= 0o7777 and mtime < 2 ** 31 and path.isascii(), 'a header')
        need(header(path, mode, size, mtime) == block, 'a header that is not the one of its entry')
        need(PATH.fullmatch(path), 'a path')
        order = (path.startswith('blobs/'), path)
        need(before is None or before < order, 'the order of the entries')
        before, start = order, place + 512
        padding = -size % 512
        place = start + size + padding
        need(place <= total, 'the archive ends early')
        stream.seek(start + size)
        need(stream.read(padding) == bytes(padding), 'the padding')
        files[path] = Entry(mode, size, mtime, reader(start, size))


def from_folder(name):
    files, folders = {}, set()

    def reader(path):
        def read():
            with open(path, 'rb') as stream:
                return stream.read()
        return read

    for parent, below, names in os.walk(name):
        for each in below + names:
            full = os.path.join(parent, each)
            path, about = os.path.relpath(full, name), os.lstat(full)
            need(PATH.fullmatch(path) and len(path) <= 100, 'a path')
            if stat.S_ISDIR(about.st_mode):
                folders.add(path)
            else:
                need(stat.S_ISREG(about.st_mode), 'neither a file nor a folder')
                files[path] = Entry(stat.S_IMODE(about.st_mode), about.st_size, None, reader(full))
    return files, folders


def openssl(*words, given=b''):
    return subprocess.run(['openssl', *words], input=given, capture_output=True)


def check_signature(files, trusted):
    need(all(name in files for name in (SUMS, SIGNATURE, KEY)), 'no signature')
    pem = files[KEY].read()
    der = openssl('pkey', '-pubin', '-outform', 'DER', given=pem).stdout
    need(len(der) == 91 and der.startswith(P256) and der[26] == 4, 'not a P-256 key')
    need(openssl('pkey', '-pubin', given=pem).stdout == pem, 'the key is not in its one form')
    need('SHA256:' + hashlib.sha256(der).hexdigest() == trusted, 'another key')
    with tempfile.TemporaryDirectory() as folder:
        for name in (SUMS, SIGNATURE, KEY):
            with open(os.path.join(folder, name), 'wb') as out:
                out.write(files[name].read())
        key, signature, sums = (os.path.join(folder, name) for name in (KEY, SIGNATURE, SUMS))
        need(openssl('dgst', '-sha256', '-verify', key, '-signature', signature, sums).returncode == 0, 'the signature')


def read_sums(data):
    need(data.endswith(b'\n'), 'the end of the sums')
    listed = {}
    for line in data[:-1].split(b'\n'):
        match = re.fullmatch(rb'([0-9a-f]{64})  ([!-~]{1,100})', line)
        need(match, 'a line of the sums')
        path = match[2].decode()
        need(PATH.fullmatch(path) and path not in (SUMS, SIGNATURE, KEY), 'a path of the sums')
        need(not listed or max(listed) < path, 'the order of the sums')
        listed[path] = match[1].decode()
    need(MANIFEST in listed and len(listed) <= 1000, 'what the sums list')
    need(len({path.lower() for path in listed}) == len(listed), 'two names that are one')
    return listed


def check_manifest(files, listed, archive):
    data = files[MANIFEST].read()
    manifest = json.loads(data)
    need((json.dumps(manifest, indent=2, sort_keys=True) + '\n').encode() == data, 'the form of the manifest')
    need(manifest['kind'] == 'Manifest' and manifest['apiVersion'] == 'cloudlet-bundle/v1', 'the kind of the manifest')
    told = {each['path']: each for each in manifest['files']}
    need({path: each['sha256'] for path, each in told.items()} == {path: listed[path] for path in listed if path != MANIFEST}, 'the manifest and the sums disagree')
    created = calendar.timegm(time.strptime(manifest['release']['created'], '%Y-%m-%dT%H:%M:%SZ'))
    for path, found in files.items():
        wanted = int(told[path]['mode'], 8) if path in told else 0o644
        need(path not in told or told[path]['size'] == found.size, 'a size')
        if archive:
            need(found.mode == wanted and found.mtime == created, 'a mode or a time')
        else:
            need(found.mode & ~wanted == 0 and found.mode & wanted & 0o500 == wanted & 0o500, 'a mode')


def verify(name, trusted):
    archive = not os.path.isdir(name)
    files, folders = from_archive(name) if archive else from_folder(name)
    need(len(files) <= 1000 and all(path not in files or files[path].size <= most for path, most in LIMITS.items()), 'too much')
    need(trusted, 'nobody said whom to trust')
    if trusted != 'none':
        check_signature(files, trusted)
    need(SUMS in files, 'no sums')
    listed = read_sums(files[SUMS].read())
    for path, digest in listed.items():
        need(path in files and hashlib.sha256(files[path].read()).hexdigest() == digest, path)
    need(set(files) <= set(listed) | {SUMS, SIGNATURE, KEY}, 'an extra file')
    need(folders <= {path[:at] for path in listed for at, unit in enumerate(path) if unit == '/'}, 'an extra folder')
    check_manifest(files, listed, archive)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(2)
    try:
        verify(sys.argv[1], sys.argv[2])
    except (Refused, KeyError, ValueError, TypeError) as error:
        print(f'refused: {error}')
        sys.exit(1)
