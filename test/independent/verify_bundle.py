"""Verifies a bundle as docs/bundle-format.md describes it, and was written from that page alone.

usage: verify_bundle.py BUNDLE FINGERPRINT [TIME]      a tar or an unpacked folder; "none" leaves the signature unchecked

Exit status: 0 good, 1 refused (one reason on standard output), 2 usage. Needs Python 3 and openssl.
"""

import base64
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
SUMS, SIGNATURE, KEY, MANIFEST, SIGNATURES = 'SHA256SUMS', 'SHA256SUMS.sig', 'SHA256SUMS.pub', 'manifest.json', 'SHA256SUMS.signatures'
SEAL = {SUMS, SIGNATURE, KEY, SIGNATURES}
LIMITS = {MANIFEST: 10485760, SUMS: 1670000, SIGNATURE: 72, KEY: 178, SIGNATURES: 8192}
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


def fingerprint(data):
    return 'SHA256:' + hashlib.sha256(data).hexdigest()


def key_print(pem):
    der = openssl('pkey', '-pubin', '-outform', 'DER', given=pem).stdout
    need(len(der) == 91 and der.startswith(P256), 'not a P-256 key')
    need(openssl('pkey', '-pubin', given=pem).stdout == pem, 'the key is not in its one form')
    return fingerprint(der)


def need_signature(pem, signature, data):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in ((SIGNATURE, signature), (KEY, pem)):
            with open(os.path.join(folder, name), 'wb') as out:
                out.write(content)
        words = ('dgst', '-sha256', '-verify', os.path.join(folder, KEY), '-signature', os.path.join(folder, SIGNATURE))
        need(openssl(*words, given=data).returncode == 0, 'a signature')


def check_signature(files, trusted):
    need(all(name in files for name in (SUMS, SIGNATURE, KEY)), 'no signature')
    pem = files[KEY].read()
    need(key_print(pem) == trusted, 'another key')
    need_signature(pem, files[SIGNATURE].read(), files[SUMS].read())


POLICY = re.compile('cloudlet-bundle trust policy v1\n'
                    'version (?P<version>[1-9][0-9]?)\n'
                    'previous (?P<previous>none|SHA256:[0-9a-f]{64})\n'
                    'threshold (?P<threshold>[1-9][0-9]?)\n'
                    'until (?P<until>never|(?P<end>\\S{20}) (?P<after>warn|refuse))\n'
                    '(?P<keys>(?:key SHA256:[0-9a-f]{64} [A-Za-z0-9+/=]{124} [A-Za-z0-9][A-Za-z0-9._-]{0,39}\n){1,16})')


def read_policy(data):
    found = POLICY.fullmatch(data.decode('ascii'))
    need(found, 'the form of a policy')
    keys, names = {}, []
    for line in found['keys'].splitlines():
        _, wanted, text, name = line.split(' ')
        need(base64.b64encode(base64.b64decode(text)).decode() == text, 'base64')
        pem = f'-----BEGIN PUBLIC KEY-----\n{text[:64]}\n{text[64:]}\n-----END PUBLIC KEY-----\n'.encode()
        need(key_print(pem) == wanted and (not keys or max(keys) < wanted) and name not in names, 'a key of a policy')
        keys[wanted] = pem
        names.append(name)
    need(int(found['threshold']) <= len(keys) and int(found['version']) <= 32, 'a number of a policy')
    need((found['version'] == '1') == (found['previous'] == 'none'), 'the previous policy')
    need(found['end'] is None or epoch(found['end']) >= 0, 'the end of a policy')
    return found, keys


def read_signatures(data, keys, signed):
    lines = [re.fullmatch('(SHA256:[0-9a-f]{64}) ([A-Za-z0-9+/=]+)', line) for line in data.decode('ascii').split('\n')[:-1]]
    need(data.endswith(b'\n') and 0 < len(lines) <= 32 and all(lines), 'the form of the signatures')
    signers = [line[1] for line in lines]
    need(signers == sorted(set(signers)), 'the order of the signatures')
    for line in lines:
        signature = base64.b64decode(line[2])
        need(base64.b64encode(signature).decode() == line[2] and len(signature) <= 72, 'the form of a signature')
        need(line[1] in keys, 'a key that no policy lists')
        need_signature(keys[line[1]], signature, signed)
    return set(signers)


def check_policies(files, trusted):
    """Gives the policy in force."""
    need(SIGNATURE not in files and KEY not in files and SIGNATURES in files, 'two kinds of signatures, or none')
    names = sorted(name for name in files if name.startswith('trust/'))
    count = len(names) // 2
    need(0 < count <= 32, 'no policies')
    need(names == [f'trust/{version:04}.{kind}' for version in range(1, count + 1) for kind in ('policy', 'signatures')], 'the names of the policies')
    before, anchored, policy, keys = None, False, None, {}
    for version in range(1, count + 1):
        data = files[f'trust/{version:04}.policy'].read()
        former, former_keys = policy, keys
        policy, keys = read_policy(data)
        need(int(policy['version']) == version and policy['previous'] == (before or 'none'), 'the chain of the policies')
        signers = read_signatures(files[f'trust/{version:04}.signatures'].read(), {**former_keys, **keys}, data)
        need(len(signers & set(keys)) >= int(policy['threshold']), 'a policy that too few keys have signed')
        need(former is None or len(signers & set(former_keys)) >= int(former['threshold']), 'a rotation that too few keys have signed')
        before = fingerprint(data)
        anchored = anchored or trusted == before or trusted in signers & set(keys)
    need(anchored, 'policies that come from somewhere else')
    signers = read_signatures(files[SIGNATURES].read(), keys, files[SUMS].read())
    need(len(signers) >= int(policy['threshold']), 'too few signatures')
    return policy


def check_validity(policy, created, now):
    if policy['after'] == 'refuse':
        need(epoch(now) >= epoch(created), 'the clock')
        need(max(epoch(now), epoch(created)) < epoch(policy['end']), 'the policy has ended')


def folders_of(paths):
    return {path[:at] for path in paths for at, unit in enumerate(path) if unit == '/'}


def read_sums(data):
    need(data.endswith(b'\n'), 'the end of the sums')
    lines = [re.fullmatch('([0-9a-f]{64})  (.*)', line) for line in data.decode('ascii')[:-1].split('\n')]
    need(len(lines) <= 10000 and all(lines), 'a line of the sums')
    paths = [line[2] for line in lines]
    need(all(PATH.match(path) and path not in SEAL for path in paths), 'a path of the sums')
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
FILES = lambda files: isinstance(files, list) and 0 < len(files) <= 10000 and all(fits(each, FILE) for each in files)  # noqa: E731
NEEDED = {'evidence/' + name for name in
          ('audit.json', 'lock.json', 'origins.json', 'provenance.json', 'release.json', 'report.html', 'report.json', 'sbom.cdx.json', 'sbom.spdx.json', 'spec.json')}
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
    return manifest['release']['created']


def verify(name, trusted, now):
    archive = not os.path.isdir(name)
    files, folders = from_archive(name) if archive else from_folder(name)
    need(len(files) <= 10000 and all(files[path].size <= LIMITS[path] for path in LIMITS if path in files), 'too much')
    policed = [path for path in files if path.startswith('trust/')]
    need(all(files[path].size <= 8192 for path in policed), 'too much')
    need(trusted, 'nobody said whom to trust')
    policy = None
    if trusted != 'none' and (policed or SIGNATURES in files):
        policy = check_policies(files, trusted)
    elif trusted != 'none':
        check_signature(files, trusted)
    need(SUMS in files, 'no sums')
    listed = read_sums(files[SUMS].read())
    for path, digest in listed.items():
        need(path in files and files[path].sha256() == digest, path)
    need(set(files) <= set(listed) | SEAL and folders <= folders_of(listed), 'something extra')
    created = check_manifest(files, listed, archive)
    if policy:
        check_validity(policy, created, now)


if __name__ == '__main__':
    if len(sys.argv) not in (3, 4):
        sys.exit(2)
    clock = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
    try:
        verify(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) == 4 else clock)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        print(f'refused: {error}')
        sys.exit(1)
