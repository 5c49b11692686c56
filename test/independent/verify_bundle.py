"""Verifies a bundle as docs/bundle-format.md describes it, and was written from that page alone.

usage: verify_bundle.py BUNDLE FINGERPRINT      a tar or an unpacked folder; "none" leaves the signature unchecked

Exit status: 0 good, 1 refused (one reason on standard output), 2 usage. Needs Python 3 and openssl.
"""

import calendar
import collections
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time

PATH = re.compile(r'(?=.{1,100}\Z)[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*\Z')
SUMS, SIGNATURE, KEY, MANIFEST = 'SHA256SUMS', 'SHA256SUMS.sig', 'SHA256SUMS.pub', 'manifest.json'
LIMITS = {MANIFEST: 1048576, SUMS: 167000, SIGNATURE: 72, KEY: 178}
P256 = bytes.fromhex('3059301306072a8648ce3d020106082a8648ce3d03010703420004')


def need(condition, why):
    if not condition:
        raise ValueError(why)


class Found(collections.namedtuple('Found', 'mode size mtime name start')):
    """A file of the bundle: `size` bytes of the file `name`, from `start`."""

    def chunks(self):
        with open(self.name, 'rb') as stream:
            stream.seek(self.start)
            for at in range(0, self.size, 1 << 20):
                yield stream.read(min(1 << 20, self.size - at))

    def read(self):
        return b''.join(self.chunks())

    def sha256(self):
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


def is_big(path):
    return path.startswith('blobs/') or path in ('ovf/payload.vmdk', 'ovf/vm-image.vmdk')


def header(path, mode, size, mtime):
    block = bytearray(512)
    block[:len(path)] = path.encode()
    for at, digits, value in ((100, 6, mode), (108, 6, 0), (116, 6, 0), (136, 11, mtime), (329, 6, 0), (337, 6, 0)):
        block[at:at + digits + 1] = b'%0*o ' % (digits, value)
    block[124:136] = b'%011o ' % size if size < 8 ** 11 else b'\x80' + size.to_bytes(11, 'big')
    block[156:157], block[257:265], block[148:156] = b'0', b'ustar\x0000', b' ' * 8
    block[148:156] = b'%06o \x00' % sum(block)
    return bytes(block)


def from_archive(name):
    files, place, total, before = {}, 0, os.path.getsize(name), (False, '')
    with open(name, 'rb') as stream:
        while True:
            stream.seek(place)
            block = stream.read(512)
            need(len(block) == 512, 'the archive ends early')
            if block == bytes(512):
                need(total - place == 1024 and stream.read() == bytes(512), 'the archive does not end where it must')
                return files, set()
            path = block[:100].split(b'\0')[0].decode('ascii')
            size = int.from_bytes(block[125:136], 'big') if block[124] == 0x80 else int(block[124:135], 8)
            mode, mtime = int(block[100:106], 8), int(block[136:147], 8)
            need(0 <= mode <= 0o7777 and 0 <= size < 10 ** 15 and 0 <= mtime < 2 ** 31, 'a number of a header')
            need(header(path, mode, size, mtime) == block, 'a header that is not the one of its entry')
            need(PATH.match(path), 'a path')
            order = (is_big(path), path)
            need(before < order, 'the order of the entries')
            files[path] = Found(mode, size, mtime, name, place + 512)
            before, place = order, place + 512 + size + -size % 512
            need(place <= total, 'the archive ends early')
            stream.seek(place - -size % 512)
            need(not any(stream.read(-size % 512)), 'the padding')


def from_folder(name):
    files, folders = {}, set()
    for parent, below, names in os.walk(name):
        for each in below + names:
            full = os.path.join(parent, each)
            path, about = os.path.relpath(full, name), os.lstat(full)
            need(PATH.match(path), 'a path')
            need(not os.path.islink(full) and (os.path.isfile(full) or os.path.isdir(full)), 'neither a file nor a folder')
            if os.path.isdir(full):
                folders.add(path)
            else:
                files[path] = Found(about.st_mode & 0o7777, about.st_size, None, full, 0)
    return files, folders


def openssl(*words, given=b''):
    return subprocess.run(['openssl', *words], input=given, capture_output=True)


def check_signature(files, trusted):
    need(all(name in files for name in (SUMS, SIGNATURE, KEY)), 'no signature')
    pem = files[KEY].read()
    der = openssl('pkey', '-pubin', '-outform', 'DER', given=pem).stdout
    need(len(der) == 91 and der.startswith(P256), 'not a P-256 key')
    need(openssl('pkey', '-pubin', given=pem).stdout == pem, 'the key is not in its one form')
    need('SHA256:' + hashlib.sha256(der).hexdigest() == trusted, 'another key')
    with tempfile.TemporaryDirectory() as folder:
        for name in (SIGNATURE, KEY):
            with open(os.path.join(folder, name), 'wb') as out:
                out.write(files[name].read())
        words = ('dgst', '-sha256', '-verify', os.path.join(folder, KEY), '-signature', os.path.join(folder, SIGNATURE))
        need(openssl(*words, given=files[SUMS].read()).returncode == 0, 'the signature')


def folders_of(paths):
    return {path[:at] for path in paths for at, unit in enumerate(path) if unit == '/'}


def read_sums(data):
    need(data.endswith(b'\n'), 'the end of the sums')
    lines = [re.fullmatch('([0-9a-f]{64})  (.*)', line) for line in data.decode('ascii')[:-1].split('\n')]
    need(len(lines) <= 1000 and all(lines), 'a line of the sums')
    paths = [line[2] for line in lines]
    need(all(PATH.match(path) and path not in (SUMS, SIGNATURE, KEY) for path in paths), 'a path of the sums')
    need(paths == sorted(set(paths)) and MANIFEST in paths, 'the order of the sums')
    names = paths + list(folders_of(paths))
    need(len({name.lower() for name in names}) == len(names), 'two names that are one')
    return {line[2]: line[1] for line in lines}


def text(form='(?s:.+)'):
    return lambda value: isinstance(value, str) and re.fullmatch(form, value)


def epoch(value):
    seconds = calendar.timegm(time.strptime(value, '%Y-%m-%dT%H:%M:%SZ'))
    need(0 <= seconds < 2 ** 31 and time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds)) == value, 'a time')
    return seconds


def fits(value, shape):
    if isinstance(shape, dict):
        return isinstance(value, dict) and set(value) == set(shape) and all(fits(value[key], shape[key]) for key in shape)
    return shape(value)


COUNT = lambda value: type(value) is int and 0 <= value < 10 ** 15  # noqa: E731
FILE = {'mode': text('0644|0755'), 'origin': text(), 'path': text(PATH.pattern), 'sha256': text('[0-9a-f]{64}'), 'size': COUNT,
        'role': text('data|document|evidence|payload|script|site|vm-image')}
FILES = lambda files: isinstance(files, list) and 0 < len(files) <= 1000 and all(fits(each, FILE) for each in files)  # noqa: E731
NEEDED = {'evidence/' + name for name in
          ('lock.json', 'origins.json', 'provenance.json', 'release.json', 'sbom.cdx.json', 'sbom.spdx.json', 'spec.json')}
SHAPE = {'apiVersion': text('cloudlet-bundle/v1'), 'kind': text('Manifest'), 'platform': text(), 'files': FILES,
         'evidence': lambda paths: isinstance(paths, list),
         'cloudlet': {'name': text(), 'organization': text(), 'region': text()}, 'generator': {'name': text(), 'version': text()},
         'lock': {'digest': text('sha256:[0-9a-f]{64}')}, 'spec': {'digest': text('sha256:[0-9a-f]{64}')},
         'release': {'created': text(), 'name': text(), 'sequence': COUNT}}


def check_manifest(files, listed, archive):
    data = files[MANIFEST].read()
    manifest = json.loads(data)
    need((json.dumps(manifest, indent=2, sort_keys=True) + '\n').encode() == data, 'the form of the manifest')
    created = epoch(manifest['release']['created'])
    need(fits(manifest, SHAPE), 'the shape of the manifest')
    places = [(is_big(each['path']), each['path']) for each in manifest['files']]
    need(places == sorted(set(places)), 'the order of the manifest')
    evidence = [each['path'] for each in manifest['files'] if each['role'] == 'evidence']
    need(manifest['evidence'] == evidence and NEEDED <= set(evidence), 'the evidence')
    told = {each['path']: each for each in manifest['files']}
    need({path: told[path]['sha256'] for path in told} == {path: listed[path] for path in listed if path != MANIFEST}, 'other files than the sums')
    for path, found in files.items():
        wanted = int(told[path]['mode'], 8) if path in told else 0o644
        need(path not in told or told[path]['size'] == found.size, 'a size')
        need(not archive or found.mode == wanted and found.mtime == created, 'a mode or a time')
        need(archive or found.mode & ~wanted == 0 and found.mode & wanted & 0o500 == wanted & 0o500, 'a mode')


def verify(name, trusted):
    archive = not os.path.isdir(name)
    files, folders = from_archive(name) if archive else from_folder(name)
    need(len(files) <= 1000 and all(files[path].size <= LIMITS[path] for path in LIMITS if path in files), 'too much')
    need(trusted, 'nobody said whom to trust')
    if trusted != 'none':
        check_signature(files, trusted)
    need(SUMS in files, 'no sums')
    listed = read_sums(files[SUMS].read())
    for path, digest in listed.items():
        need(path in files and files[path].sha256() == digest, path)
    need(set(files) <= set(listed) | {SUMS, SIGNATURE, KEY} and folders <= folders_of(listed), 'something extra')
    check_manifest(files, listed, archive)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(2)
    try:
        verify(sys.argv[1], sys.argv[2])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        print(f'refused: {error}')
        sys.exit(1)
